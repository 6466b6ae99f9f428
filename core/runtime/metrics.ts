import { performance } from 'node:perf_hooks';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds, from a health check's answer to a request that nearly timed out. */
export const DURATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * prom-client samples the event loop's lag by a timer, a hundred times a second: a process at rest would do little else, and at the
 * longest period that Node takes the figures would tell of the period alone. `capstan_event_loop_busy_seconds_total` costs nothing.
 */
const NEVER_MS = 2 ** 31 - 1;
const SAMPLED = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
  (figure) => `nodejs_eventloop_lag_${figure}_seconds`,
);

interface Description<Label extends string> {
  /** Without the prefix `capstan_`; ends in its unit (`_seconds`, `_total`, `_stroops`). */
  readonly name: string;
  readonly help: string;
  /** Few and bounded: never an account, a transaction id or anything that a stranger chooses. */
  readonly labels?: readonly Label[];
}

/** The metrics of one process, on a registry of its own: two processes in one (dev, tests) do not meet. */
export interface Metrics {
  readonly registry: Registry;
  counter<Label extends string = never>(description: Description<Label>): Counter<Label>;
  gauge<Label extends string = never>(
    /** `collect` is called at each scrape and sets the gauge. */
    description: Description<Label> & { readonly collect?: (gauge: Gauge<Label>) => void | Promise<void> },
  ): Gauge<Label>;
  histogram<Label extends string = never>(
    description: Description<Label> & { readonly buckets?: readonly number[] },
  ): Histogram<Label>;
}

const named = <Label extends string>({ name, help, labels }: Description<Label>, registry: Registry) => ({
  name: `capstan_${name}`,
  help,
  labelNames: [...(labels ?? [])],
  registers: [registry],
});

/**
 * Opens the metrics of a process.
 *
 * @param options.process the role, as label `process` on every series: `server`, `watch-transactions` …
 * @param options.version shown by `capstan_build_info`
 * @param options.defaults Node's own series (event loop, heap, GC); off where several roles share one Node
 */
export function createMetrics(options: {
  readonly process: string;
  readonly version: string;
  readonly defaults?: boolean;
}): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process: options.process });
  if (options.defaults ?? true) addNodeMetrics(registry);
  const metrics: Metrics = {
    registry,
    counter: (description) => new Counter(named(description, registry)),
    gauge: (description) => {
      const { collect } = description;
      return new Gauge({
        ...named(description, registry),
        ...(collect === undefined
          ? {}
          : {
              collect(this: Gauge) {
                return collect(this);
              },
            }),
      });
    },
    histogram: (description) =>
      new Histogram({
        ...named(description, registry),
        buckets: [...(description.buckets ?? DURATION_BUCKETS_SECONDS)],
      }),
  };
  metrics
    .gauge({ name: 'build_info', help: 'Always 1; the labels tell what runs.', labels: ['version', 'node'] })
    .set({ version: options.version, node: process.version }, 1);
  return metrics;
}

function addNodeMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const name of SAMPLED) registry.removeSingleMetric(name);
  let countedMs = 0;
  const busy = new Counter({
    name: 'capstan_event_loop_busy_seconds_total',
    help: 'Time that the event loop did not wait.',
    registers: [],
    collect() {
      const { active } = performance.eventLoopUtilization();
      this.inc((active - countedMs) / 1_000);
      countedMs = active;
    },
  });
  registry.registerMetric(busy);
}
