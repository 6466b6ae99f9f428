import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { URGENCIES } from './queue.ts';
import type { QueueObserver, WorkQueue } from './queue.ts';

const OUTCOMES = ['success', 'requeue_after', 'requeue', 'error', 'conflict'] as const;
/** controller-runtime's label values of `controller_runtime_reconcile_total`, and `conflict`. */
export type Outcome = (typeof OUTCOMES)[number];

interface ReconcileMetrics {
  reconciled(outcome: Outcome, seconds: number): void;
  terminal(): void;
  panicked(): void;
  timedOut(): void;
  working(workers: number): void;
}

interface QueueMetrics {
  readonly queue: QueueObserver;
  /** Shows the queue's depth and unfinished work at each scrape. */
  follow(queue: WorkQueue): void;
  retried(): void;
}

/** Of one controller. */
export type ControllerMetrics = ReconcileMetrics & QueueMetrics;

/** Seconds; client-go's own. */
const QUEUE_BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];
const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

function reconcileSeries(registry: Registry): (controller: string, workers: number) => ReconcileMetrics {
  const labelNames = ['controller'];
  const registers = [registry];
  const name = (rest: string): string => `controller_runtime_${rest}`;
  const count = (rest: string, help: string) =>
    new Counter({ name: name(rest), help, labelNames, registers });
  const errors = count('reconcile_errors_total', 'Reconciles that failed.');
  const terminal = count('terminal_reconcile_errors_total', 'Failures that are not retried.');
  const panics = count('reconcile_panics_total', 'Reconciles that threw what nobody foresaw.');
  const timeouts = count('reconcile_timeouts_total', 'Reconciles over their deadline.');
  const total = new Counter({
    name: name('reconcile_total'),
    help: 'Reconciles by result.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const time = new Histogram({
    name: name('reconcile_time_seconds'),
    help: 'Time of a reconcile.',
    labelNames,
    registers,
    buckets: RECONCILE_BUCKETS,
  });
  const gauge = (rest: string, help: string) => new Gauge({ name: name(rest), help, labelNames, registers });
  const most = gauge('max_concurrent_reconciles', 'Workers.');
  const active = gauge('active_workers', 'Workers at work.');

  return (controller, workers) => {
    most.set({ controller }, workers);
    active.set({ controller }, 0);
    for (const each of [errors, terminal, panics, timeouts]) each.inc({ controller }, 0);
    for (const result of OUTCOMES) total.inc({ controller, result }, 0);
    return {
      reconciled(result, seconds) {
        total.inc({ controller, result });
        if (result === 'error') errors.inc({ controller });
        time.observe({ controller }, seconds);
      },
      terminal: () => terminal.inc({ controller }),
      panicked: () => panics.inc({ controller }),
      timedOut: () => timeouts.inc({ controller }),
      working: (busy) => active.set({ controller }, busy),
    };
  };
}

/** Gauges that are read from the queues when somebody scrapes. */
function queueGauges(registry: Registry, queues: ReadonlyMap<string, WorkQueue>): void {
  const registers = [registry];
  const unfinished = (name: string, help: string, sum: (ms: number[]) => number): void => {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['name', 'controller'],
      registers,
      collect() {
        for (const [controller, queue] of queues) {
          gauge.set({ name: controller, controller }, sum(queue.runningMs()) / 1_000);
        }
      },
    });
  };
  unfinished('workqueue_unfinished_work_seconds', 'Time of all work in progress, summed up.', (ms) =>
    ms.reduce((sum, one) => sum + one, 0),
  );
  unfinished('workqueue_longest_running_processor_seconds', 'Time of the longest work in progress.', (ms) =>
    Math.max(0, ...ms),
  );
  const depth = new Gauge({
    name: 'workqueue_depth',
    help: 'Keys ready and waiting.',
    labelNames: ['name', 'controller', 'priority'],
    registers,
    collect() {
      for (const [controller, queue] of queues) {
        for (const priority of URGENCIES) {
          depth.set({ name: controller, controller, priority }, queue.depth(priority));
        }
      }
    },
  });
}

function queueSeries(registry: Registry): (controller: string) => QueueMetrics {
  const queues = new Map<string, WorkQueue>();
  queueGauges(registry, queues);
  const shared = { labelNames: ['name', 'controller'], registers: [registry] };
  const adds = new Counter({ ...shared, name: 'workqueue_adds_total', help: 'Keys added to the queue.' });
  const retries = new Counter({
    ...shared,
    name: 'workqueue_retries_total',
    help: 'Keys added again after a failure.',
  });
  const waited = new Histogram({
    ...shared,
    name: 'workqueue_queue_duration_seconds',
    help: 'From ready to taken.',
    buckets: QUEUE_BUCKETS,
  });
  const worked = new Histogram({
    ...shared,
    name: 'workqueue_work_duration_seconds',
    help: 'From taken to done.',
    buckets: QUEUE_BUCKETS,
  });
  return (controller) => {
    const labels = { name: controller, controller };
    adds.inc(labels, 0);
    retries.inc(labels, 0);
    return {
      queue: {
        added: () => adds.inc(labels),
        taken: (ms) => waited.observe(labels, ms / 1_000),
        done: (ms) => worked.observe(labels, ms / 1_000),
      },
      follow: (queue) => void queues.set(controller, queue),
      retried: () => retries.inc(labels),
    };
  };
}

/**
 * Registers the series of controllers under controller-runtime's and client-go's names, so that dashboards and alerts
 * made for operators in Go work (sigs.k8s.io/controller-runtime, pkg/internal/controller/metrics and
 * pkg/internal/metrics). Call it once for a registry, the result once for a controller.
 */
export function createControllerMetrics(
  registry: Registry,
): (controller: string, workers: number) => ControllerMetrics {
  const reconciles = reconcileSeries(registry);
  const queues = queueSeries(registry);
  return (controller, workers) => ({ ...reconciles(controller, workers), ...queues(controller) });
}
