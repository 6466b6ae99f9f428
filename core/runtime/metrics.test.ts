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
    expect(await server.registry.metrics()).toContain('nodejs_eventloop_lag_seconds');
    expect(register.getMetricsAsArray()).toEqual([]);
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
