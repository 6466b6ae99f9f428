import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from './fake-clock.ts';
import { createLog } from './log.ts';
import { createShutdown, EXIT } from './shutdown.ts';

class Host extends EventEmitter {
  readonly codes: number[] = [];
  connected = true;
  exit(code: number): void {
    this.codes.push(code);
  }
}

function setting() {
  const host = new Host();
  const clock = createFakeClock();
  const lines: string[] = [];
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  return { host, clock, lines, shutdown: createShutdown({ process: host, clock, log }) };
}

describe('createShutdown', () => {
  test('runs the stages one after the other, the last added first, and ends with 0', async () => {
    const { host, clock, shutdown } = setting();
    const order: string[] = [];
    for (const name of ['database', 'listener']) {
      shutdown.add({
        name,
        timeoutMs: 1_000,
        stop: async () => {
          order.push(`${name} stops`);
          await clock.sleep(10);
          order.push(`${name} stopped`);
        },
      });
    }
    host.emit('SIGTERM');
    expect(shutdown.signal.aborted).toBe(true);
    await clock.advance(20);
    expect(await shutdown.finished).toBe(EXIT.ok);
    expect(order).toEqual(['listener stops', 'listener stopped', 'database stops', 'database stopped']);
    expect(host.eventNames()).toEqual([]);
  });

  test('a stage that hangs or fails does not keep the others from stopping, but shows in the exit code', async () => {
    const { clock, lines, shutdown } = setting();
    let isClosed = false;
    shutdown.add({ name: 'database', timeoutMs: 1_000, stop: () => void (isClosed = true) });
    shutdown.add({ name: 'stream', timeoutMs: 1_000, stop: () => Promise.reject(new Error('broken')) });
    shutdown.add({ name: 'listener', timeoutMs: 1_000, stop: () => new Promise<void>(() => {}) });
    const finished = shutdown.stop('test');
    await clock.advance(1_000);
    expect(await finished).toBe(EXIT.failed);
    expect(isClosed).toBe(true);
    expect(lines.join('')).toContain('\\"listener\\" did not stop within 1000 ms');
  });

  test('a second signal ends the process at once', () => {
    const { host, shutdown } = setting();
    shutdown.add({ name: 'listener', timeoutMs: 60_000, stop: () => new Promise<void>(() => {}) });
    host.emit('SIGTERM');
    expect(host.codes).toEqual([]);
    host.emit('SIGINT');
    expect(host.codes).toEqual([130]);
  });

  test('a parent that goes away stops the process', async () => {
    const { host, shutdown } = setting();
    host.emit('disconnect');
    expect(await shutdown.finished).toBe(EXIT.ok);
  });

  test('an error that nobody caught is logged and stops the process with 1', async () => {
    const { host, lines, shutdown } = setting();
    host.emit('uncaughtException', new Error('unforeseen'));
    expect(await shutdown.finished).toBe(EXIT.failed);
    expect(lines.join('')).toContain('unforeseen');
  });

  test('nobody who reads the log any more stops the process, and is not told of it again and again', async () => {
    const { host, lines, shutdown } = setting();
    host.emit('uncaughtException', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(await shutdown.finished).toBe(EXIT.failed);
    expect(lines.join('')).not.toContain('EPIPE');
  });
});

describe('a real process', () => {
  const program = `
    import { createShutdown } from '${new URL('shutdown.ts', import.meta.url).href}';
    import { createLog } from '${new URL('log.ts', import.meta.url).href}';
    import { systemClock } from '${new URL('clock.ts', import.meta.url).href}';
    const log = createLog({ name: 'child', level: 'info' });
    const shutdown = createShutdown({ process, clock: systemClock, log });
    const hold = setInterval(() => {}, 1000);
    shutdown.add({ name: 'work', timeoutMs: 20000, stop: async () => { await systemClock.sleep(Number(process.argv[1])); } });
    log.info('running');
    process.exit(await shutdown.finished);
  `;
  const start = async (stopMs: number): Promise<ChildProcess> => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, String(stopMs)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    await once(child.stdout ?? child, 'data');
    return child;
  };

  test('ends with 0 after SIGTERM, its stages run', async () => {
    const child = await start(50);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('ends with 0 when its parent disconnects', async () => {
    const child = await start(0);
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('ends at once with 143 on a second SIGTERM', async () => {
    const child = await start(20_000);
    child.kill('SIGTERM');
    await once(child.stdout ?? child, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([143, null]);
  });
});
