import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

/** Told of every attempt, also those that are repeated. */
export interface RestMetrics {
  /** `code`: the HTTP status, or `<error>` when no answer came. */
  observe(attempt: {
    readonly method: string;
    readonly host: string;
    readonly code: string;
    readonly seconds: number;
  }): void;
}

const BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** Registers client-go's series of requests to the API server. Once for a registry. */
export function createRestMetrics(registry: Registry): RestMetrics {
  const total = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server by status code, method and host.',
    labelNames: ['code', 'method', 'host'],
    registers: [registry],
  });
  const latency = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Time until the answer was complete, or for a watch until it began.',
    labelNames: ['verb', 'host'],
    buckets: BUCKETS,
    registers: [registry],
  });
  return {
    observe({ method, host, code, seconds }) {
      total.inc({ code, method, host });
      latency.observe({ verb: method, host }, seconds);
    },
  };
}
