import { describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { CapstanError } from '../../core/runtime/errors.ts';
import { createFakeClock } from '../../core/runtime/fake-clock.ts';
import { createLog } from '../../core/runtime/log.ts';
import { createBackoff } from './backoff.ts';
import { createController } from './controller.ts';
import type { ControllerOptions } from './controller.ts';
import { createControllerMetrics } from './metrics.ts';
import { TerminalError } from './reconcile.ts';
import type { Reconcile } from './reconcile.ts';

class Refused extends CapstanError {}
const refused = () => new Refused('refused', 'the server said no');

function open(reconcile: Reconcile, options: Partial<ControllerOptions> = {}) {
  const clock = createFakeClock();
  const registry = new Registry();
  const lines: string[] = [];
  const controller = createController({
    name: 'anchor',
    reconcile,
    concurrency: 2,
    clock,
    log: createLog({ name: 'test', level: 'debug', destination: { write: (line) => lines.push(line) } }),
    backoff: createBackoff({ random: () => 1 }),
    metrics: createControllerMetrics(registry)('anchor', 2),
    ...options,
  });
  const value = async (name: string, labels: Record<string, string> = {}): Promise<number | undefined> => {
    const metric = await registry.getSingleMetric(name)?.get();
    const found = metric?.values.find((one) =>
      Object.entries(labels).every(([label, wanted]) => one.labels[label] === wanted),
    );
    return found?.value;
  };
  return { clock, controller, value, lines };
}
const stopped = { timeoutMs: 0, graceMs: 0 };

describe('a controller', () => {
  test('keeps keys until it is started: a warm standby', async () => {
    const seen: string[] = [];
    const { clock, controller } = open(async (key) => void seen.push(key));
    controller.enqueue('a', 'resync');
    controller.enqueue('b', 'edit');
    controller.enqueue('a', 'resync');
    await clock.advance(1_000);
    expect(seen).toEqual([]);
    controller.start();
    await clock.advance(0);
    expect(seen).toEqual(['b', 'a']);
    await controller.stop(stopped);
  });

  test('works on no more keys at once than it has workers', async () => {
    let most = 0;
    let now = 0;
    const { clock, controller, value } = open(async () => {
      most = Math.max(most, (now += 1));
      await clock.sleep(10);
      now -= 1;
    });
    for (let n = 0; n < 9; n += 1) controller.enqueue(`k${n}`, 'event');
    controller.start();
    await clock.advance(5);
    expect(await value('controller_runtime_active_workers')).toBe(2);
    expect(await value('workqueue_depth', { priority: 'event' })).toBe(7);
    expect(await value('workqueue_unfinished_work_seconds')).toBeCloseTo(0.01);
    await clock.advance(100);
    expect(most).toBe(2);
    expect(await value('controller_runtime_reconcile_total', { result: 'success' })).toBe(9);
    expect(await value('controller_runtime_active_workers')).toBe(0);
    await controller.stop(stopped);
  });

  test('runs a key again that was added while it ran, never twice at once', async () => {
    const at: string[] = [];
    const { clock, controller } = open(async () => {
      at.push(`start ${clock.now()}`);
      await clock.sleep(10);
      at.push(`end ${clock.now()}`);
    });
    controller.start();
    controller.enqueue('a', 'event');
    await clock.advance(5);
    controller.enqueue('a', 'event');
    controller.enqueue('a', 'edit');
    await clock.advance(100);
    expect(at).toEqual(['start 0', 'end 10', 'start 10', 'end 20']);
    await controller.stop(stopped);
  });

  test('waits longer after each failure in a row, and forgets them after a success', async () => {
    const at: number[] = [];
    const { clock, controller, value } = open(async (_key, { failures }) => {
      at.push(clock.now());
      if (failures < 4) throw refused();
    });
    controller.enqueue('a', 'event');
    controller.start();
    await clock.advance(10_000);
    expect(at).toEqual([0, 100, 300, 700, 1_500]);
    expect(await value('controller_runtime_reconcile_errors_total')).toBe(4);
    expect(await value('workqueue_retries_total')).toBe(4);
    expect(await value('controller_runtime_reconcile_panics_total')).toBe(0);
    await controller.stop(stopped);
  });

  test('does not let its own events shorten the wait after a failure', async () => {
    let runs = 0;
    const { clock, controller } = open(async (key) => {
      runs += 1;
      controller.enqueue(key, 'event');
      throw refused();
    });
    controller.enqueue('a', 'event');
    controller.start();
    await clock.advance(1_000);
    expect(runs).toBe(4);
    controller.enqueue('a', 'edit');
    await clock.advance(0);
    expect(runs).toBe(5);
    await controller.stop(stopped);
  });

  test('comes back after the time that a success asked for', async () => {
    const at: number[] = [];
    const { clock, controller, value } = open(async () => {
      at.push(clock.now());
      return { requeueAfterMs: 30_000 };
    });
    controller.enqueue('a', 'edit');
    controller.start();
    await clock.advance(65_000);
    expect(at).toEqual([0, 30_000, 60_000]);
    expect(await value('controller_runtime_reconcile_total', { result: 'requeue_after' })).toBe(3);
    await controller.stop(stopped);
  });

  test('leaves a terminal failure alone until the key changes', async () => {
    let runs = 0;
    const { clock, controller, value } = open(async () => {
      runs += 1;
      throw new TerminalError('bad_spec', 'spec.host is no host name');
    });
    controller.enqueue('a', 'edit');
    controller.start();
    await clock.advance(3_600_000);
    expect(runs).toBe(1);
    controller.enqueue('a', 'edit');
    await clock.advance(0);
    expect(runs).toBe(2);
    expect(await value('controller_runtime_terminal_reconcile_errors_total')).toBe(2);
    expect(await value('workqueue_retries_total')).toBe(0);
    await controller.stop(stopped);
  });

  test('tries a conflict again with back-off and counts no error', async () => {
    const at: number[] = [];
    const { clock, controller, value } = open(
      async (_key, { failures }) => {
        at.push(clock.now());
        if (failures < 2) throw refused();
      },
      { isConflict: (thrown) => thrown instanceof Refused },
    );
    controller.enqueue('a', 'edit');
    controller.start();
    await clock.advance(1_000);
    expect(at).toEqual([0, 100, 300]);
    expect(await value('controller_runtime_reconcile_errors_total')).toBe(0);
    expect(await value('controller_runtime_reconcile_total', { result: 'conflict' })).toBe(2);
    await controller.stop(stopped);
  });

  test.each([
    [
      'throws before it is asynchronous',
      () => {
        throw new TypeError('x of undefined');
      },
    ],
    [
      'rejects with a defect',
      async () => {
        throw new TypeError('x of undefined');
      },
    ],
  ])('survives a reconcile that %s, and goes on with the other keys', async (_title, breaks) => {
    const served: string[] = [];
    const { clock, controller, value, lines } = open((key) => {
      if (key === 'bad') return breaks();
      served.push(key);
      return Promise.resolve(undefined);
    });
    for (const key of ['bad', 'good', 'fine', 'well']) controller.enqueue(key, 'event');
    controller.start();
    await clock.advance(50);
    expect(served).toEqual(['good', 'fine', 'well']);
    expect(await value('controller_runtime_reconcile_panics_total')).toBe(1);
    expect(lines.some((line) => line.includes('a reconcile broke') && line.includes('"key":"bad"'))).toBe(
      true,
    );
    await controller.stop(stopped);
  });
});

describe('the deadline of a reconcile', () => {
  test('aborts its signal and counts; the key is tried again', async () => {
    const reasons: unknown[] = [];
    const { clock, controller, value } = open(
      async (_key, { signal, failures }) => {
        if (failures > 0) return undefined;
        await clock.sleep(60_000, signal);
        reasons.push(signal.reason);
        throw new Error('cut short');
      },
      { timeoutMs: 1_000 },
    );
    controller.enqueue('a', 'event');
    controller.start();
    await clock.advance(2_000);
    expect(reasons).toEqual([expect.objectContaining({ code: 'reconcile_timed_out' })]);
    expect(await value('controller_runtime_reconcile_timeouts_total')).toBe(1);
    expect(await value('controller_runtime_reconcile_panics_total')).toBe(0);
    expect(await value('controller_runtime_reconcile_total', { result: 'success' })).toBe(1);
    await controller.stop(stopped);
  });

  test('takes its worker from work that ignores it, but never runs the key twice at once', async () => {
    const served: string[] = [];
    const hang = Promise.withResolvers<undefined>();
    const { clock, controller } = open(
      (key) => {
        served.push(key);
        return key === 'deaf' ? hang.promise : Promise.resolve(undefined);
      },
      { timeoutMs: 1_000, concurrency: 1 },
    );
    controller.enqueue('deaf', 'event');
    controller.enqueue('other', 'event');
    controller.start();
    await clock.advance(900);
    expect(served).toEqual(['deaf']);
    await clock.advance(200);
    controller.enqueue('deaf', 'edit');
    await clock.advance(60_000);
    expect(served).toEqual(['deaf', 'other']);
    hang.resolve(undefined);
    await clock.advance(0);
    expect(served).toEqual(['deaf', 'other', 'deaf']);
    await controller.stop(stopped);
  });
});

describe('the stop of a controller', () => {
  test('lets running work end and starts none', async () => {
    const ended: string[] = [];
    const { clock, controller } = open(async (key, { signal }) => {
      await clock.sleep(1_000, signal);
      ended.push(signal.aborted ? `${key} cut` : key);
    });
    for (const key of ['a', 'b', 'c']) controller.enqueue(key, 'event');
    controller.start();
    await clock.advance(500);
    const stop = controller.stop({ timeoutMs: 5_000 });
    await clock.advance(5_000);
    expect(await stop).toBe(true);
    expect(ended).toEqual(['a', 'b']);
    expect(clock.sleepers).toBe(0);
  });

  test('aborts work that takes longer, without an error', async () => {
    const { clock, controller, value } = open(async (_key, { signal }) => {
      await clock.sleep(60_000, signal);
      signal.throwIfAborted();
    });
    controller.enqueue('a', 'event');
    controller.start();
    await clock.advance(0);
    const stop = controller.stop({ timeoutMs: 5_000 });
    await clock.advance(5_000);
    expect(await stop).toBe(true);
    expect(await value('controller_runtime_reconcile_errors_total')).toBe(0);
    expect(await value('workqueue_retries_total')).toBe(0);
  });

  test('tells when work does not end at all', async () => {
    const { clock, controller } = open(() => new Promise(() => undefined));
    controller.enqueue('a', 'event');
    controller.start();
    await clock.advance(0);
    const stop = controller.stop({ timeoutMs: 5_000, graceMs: 1_000 });
    await clock.advance(6_000);
    expect(await stop).toBe(false);
  });
});
