import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Router } from '@koa/router';
import { systemClock } from '../../core/runtime/clock.ts';
import { createLog } from '../../core/runtime/log.ts';
import { createMetrics } from '../../core/runtime/metrics.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import { createApp } from '../app.ts';
import type { AppDeps } from '../app.ts';

/** A whole app of `createApp` on a free port of this machine, for tests over real HTTP. */
export interface ServedApp extends AsyncDisposable {
  readonly url: string;
  /** What was logged, parsed. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  readonly metrics: Metrics;
  /** The value of a series (`capstan_x_total` with these labels); undefined if there is none. */
  series(name: string, labels?: Readonly<Record<string, string>>): Promise<number | undefined>;
  close(): Promise<void>;
}

async function valueOf(metrics: Metrics, name: string, labels: Readonly<Record<string, string>>) {
  const all = (await metrics.registry.getMetricsAsJSON()).flatMap(({ name: family, values }) =>
    values.map((value) => ({ metricName: family, ...value })),
  );
  return all.find(
    (value) =>
      value.metricName === name &&
      Object.entries(labels).every(([label, text]) => value.labels[label] === text),
  )?.value;
}

const open = new Set<ServedApp>();

/** Closes every app of `serve` that is still open: for `afterEach`. */
export async function closeServed(): Promise<void> {
  await Promise.all([...open].map(async (app) => await app.close()));
}

export async function serve(routers: readonly Router[], options: Partial<AppDeps> = {}): Promise<ServedApp> {
  const logged: Record<string, unknown>[] = [];
  const write = (line: string): void => void logged.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLog({ name: 'server', level: 'debug', destination: { write } });
  const metrics = createMetrics({ process: 'server', version: 'test', defaults: false });
  const app = createApp({ routers, log, metrics, clock: systemClock, rateLimits: [], ...options });
  const handle = app.callback();
  const server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const served: ServedApp = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    logged,
    metrics,
    series: (name, labels = {}) => valueOf(metrics, name, labels),
    [Symbol.asyncDispose]: () => served.close(),
    async close() {
      open.delete(served);
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
  open.add(served);
  return served;
}
