import type { Clock } from './clock.ts';
import { withDeadline } from './deadline.ts';
import { messageOf } from './errors.ts';

/** One thing that a process needs to serve. `check` rejects (or outlasts its deadline) when it is not there. */
export interface HealthCheck {
  readonly name: string;
  check(signal: AbortSignal): Promise<void>;
}

/** Answer of a probe; `reasons` names what is missing, in words that may be shown to anyone. */
export interface HealthAnswer {
  readonly ok: boolean;
  readonly reasons: readonly string[];
}

export interface Health {
  /** Is the process worth keeping? False only if `alive` says that it is stuck. */
  live(): HealthAnswer;
  /** Should it get requests? Checks run at most once per `cacheMs`, however often this is asked. */
  ready(): Promise<HealthAnswer>;
  /** From now on `ready` is false: the first step of a stop. */
  drain(): void;
}

export interface HealthOptions {
  readonly checks: readonly HealthCheck[];
  readonly clock: Clock;
  /** How long one check may take. Default 2,000. */
  readonly deadlineMs?: number;
  /** How long an answer is kept. Default 1,000. */
  readonly cacheMs?: number;
  /** A sentence why the process is stuck, or undefined. */
  readonly alive?: () => string | undefined;
  /** Told why a check failed; the probe's answer only names the check. */
  readonly onFailure?: (name: string, reason: string) => void;
}

async function runCheck(item: HealthCheck, options: HealthOptions): Promise<string | undefined> {
  const { clock, deadlineMs: timeoutMs = 2_000 } = options;
  const late = (): Error => new Error(`no answer within ${timeoutMs} ms`);
  try {
    await withDeadline({ clock, timeoutMs, late }, (signal) => item.check(signal));
    return undefined;
  } catch (error) {
    options.onFailure?.(item.name, messageOf(error));
    return item.name;
  }
}

/** Makes the two probes of a process (Kubernetes: livenessProbe, readinessProbe). */
export function createHealth(options: HealthOptions): Health {
  const { clock, checks } = options;
  let draining = false;
  let kept: { readonly until: number; readonly answer: Promise<HealthAnswer> } | undefined;

  const ask = async (): Promise<HealthAnswer> => {
    const failed = await Promise.all(checks.map((check) => runCheck(check, options)));
    const reasons = failed.filter((name) => name !== undefined);
    return { ok: reasons.length === 0, reasons };
  };
  return {
    live() {
      const reason = options.alive?.();
      return reason === undefined ? { ok: true, reasons: [] } : { ok: false, reasons: [reason] };
    },
    async ready() {
      if (draining) return { ok: false, reasons: ['stopping'] };
      if (kept === undefined || kept.until <= clock.monotonic()) {
        kept = { until: clock.monotonic() + (options.cacheMs ?? 1_000), answer: ask() };
      }
      const answer = await kept.answer;
      return draining ? { ok: false, reasons: ['stopping'] } : answer;
    },
    drain() {
      draining = true;
    },
  };
}
