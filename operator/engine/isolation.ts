import { AsyncLocalStorage } from 'node:async_hooks';
import type { HostProcess } from '../../core/runtime/shutdown.ts';

/** Whoever answers for errors that work leaves behind: a rejected promise that nobody awaits, a throw in a timer. */
type Report = (thrown: unknown) => void;

const owner = new AsyncLocalStorage<Report>();
const STRAY = new Set(['unhandledRejection', 'uncaughtException']);

/** Runs `work`; what it starts and never awaits is reported to `report` if it fails (given `isolateStrayErrors`). */
export function runIsolated<T>(report: Report, work: () => Promise<T>): Promise<T> {
  return owner.run(report, work);
}

/**
 * A view of the process for `createShutdown` on which stray errors of isolated work do not appear: they go to their
 * owner and harm one key, while all others still end the process.
 *
 * Node 24 emits both events in the async context of the promise or timer that failed.
 */
export function isolateStrayErrors(host: HostProcess): HostProcess {
  const wrapped = new Map<(...values: unknown[]) => void, (...values: unknown[]) => void>();
  const shield = (listener: (...values: unknown[]) => void) => {
    const known = wrapped.get(listener);
    if (known !== undefined) return known;
    const shielded = (...values: unknown[]): void => {
      const report = owner.getStore();
      if (report === undefined) listener(...values);
      else report(values[0]);
    };
    wrapped.set(listener, shielded);
    return shielded;
  };
  return {
    ...(host.connected === undefined ? {} : { connected: host.connected }),
    on: (event, listener) => host.on(event, STRAY.has(event) ? shield(listener) : listener),
    off: (event, listener) => host.off(event, STRAY.has(event) ? shield(listener) : listener),
    exit: (code) => host.exit(code),
  };
}
