import { describe, expect, test } from '@jest/globals';
import { register } from 'prom-client';
import { createMetrics } from './metrics.ts';

describe('createMetrics', () => {
  test('keeps two processes apart and leaves the global registry empty', async () => {
    const server = createMetrics({ process: 'server', version: '1.2.3' });
    const watcher = createMetrics({ process: 'watch-transactions', version: '1.2.3', defaults: false });
    const of = { name: 'receipts_total', help: 'Receipts.', labels: ['asset'] } as const;
    server.counter(of).inc({ asset: 'native' });
    watcher.counter(of).inc({ asset: 'native' }, 2);
    expect(await server.registry.metrics()).toContain(
      'capstan_receipts_total{asset="native",process="server"} 1',
    );
    expect(await watcher.registry.metrics()).toContain(
      'capstan_receipts_total{asset="native",process="watch-transactions"} 2',
    );
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  test('of a process, not of roles that share it, tells how busy its event loop is, without a timer that keeps it so', async () => {
    const { registry } = createMetrics({ process: 'server', version: '1.2.3' });
    const busySeconds = async (): Promise<number> =>
      (await registry.getSingleMetric('capstan_event_loop_busy_seconds_total')!.get()).values[0]!.value;
    const before = await busySeconds();
    const endsAt = performance.now() + 30;
    while (performance.now() < endsAt);
    await new Promise((resolve) => void setImmediate(resolve));
    expect((await busySeconds()) - before).toBeGreaterThanOrEqual(0.025);
    const text = await registry.metrics();
    expect(text).toContain('nodejs_eventloop_lag_seconds{');
    expect(text).not.toContain('nodejs_eventloop_lag_p99');
    const shared = createMetrics({ process: 'server', version: '1.2.3', defaults: false });
    expect(await shared.registry.metrics()).not.toMatch(/event_?loop/);
  });

  test('tells the version, fills a gauge at each scrape, and buckets in seconds', async () => {
    const metrics = createMetrics({ process: 'server', version: '1.2.3', defaults: false });
    let depth = 0;
    metrics.gauge({ name: 'queue_depth', help: 'Waiting.', collect: (gauge) => gauge.set((depth += 1)) });
    metrics.histogram({ name: 'pass_duration_seconds', help: 'A pass.' }).observe(0.02);
    const first = await metrics.registry.metrics();
    expect(first).toContain('capstan_build_info{version="1.2.3",node="v24');
    expect(first).toContain('capstan_queue_depth{process="server"} 1');
    expect(first).toContain('capstan_pass_duration_seconds_bucket{le="0.025",process="server"} 1');
    expect(await metrics.registry.metrics()).toContain('capstan_queue_depth{process="server"} 2');
  });
});
