import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** Of one reflector. */
export interface WatchMetrics {
  listed(reason: string): void;
  watchBegan(): void;
  /** Objects that an audit found the watch had not told of. */
  missed(count: number): void;
  handlerFailed(): void;
  cached(objects: number): void;
}

/** @param namespace empty for the whole cluster */
export type WatchMetricsOf = (resource: string, namespace: string) => WatchMetrics;

/** Registers the series of reflectors. Once for a registry; the result once for a reflector. */
export function createWatchMetrics(registry: Registry): WatchMetricsOf {
  const labelNames = ['resource', 'namespace'];
  const registers = [registry];
  const count = (name: string, help: string, more: string[] = []) =>
    new Counter({ name: `capstan_kube_${name}`, help, labelNames: [...labelNames, ...more], registers });
  const lists = count('lists_total', 'Full lists by reason.', ['reason']);
  const watches = count('watches_total', 'Watches that began.');
  const misses = count('cache_misses_total', 'Objects that a relist audit found wrong in the cache.');
  const failures = count('handler_failures_total', 'Handlers of changes that threw.');
  const objects = new Gauge({
    name: 'capstan_kube_cached_objects',
    help: 'Objects in the cache.',
    labelNames,
    registers,
  });
  return (resource, namespace) => {
    const labels = { resource, namespace };
    for (const each of [watches, misses, failures]) each.inc(labels, 0);
    return {
      listed: (reason) => lists.inc({ ...labels, reason }),
      watchBegan: () => watches.inc(labels),
      missed: (found) => misses.inc(labels, found),
      handlerFailed: () => failures.inc(labels),
      cached: (held) => objects.set(labels, held),
    };
  };
}
