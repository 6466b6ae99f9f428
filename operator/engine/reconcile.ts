import { CapstanError } from '../../core/runtime/errors.ts';
import type { Urgency } from './queue.ts';

/** What a reconcile is told beside its key. */
export interface ReconcileContext {
  /** Aborts at the deadline, when the process stops or when it lost the lead. All I/O has to follow it. */
  readonly signal: AbortSignal;
  /** How often this key failed in a row before. */
  readonly failures: number;
  readonly urgency: Urgency;
}

/** What is to happen with the key after a success. */
export interface ReconcileResult {
  /** Look again after this time, although nothing may have changed. Absent: only when something changes. */
  readonly requeueAfterMs?: number;
}

/** Brings the world of one key to what it should be. Called for one key by one worker at a time. */
export type Reconcile = (key: string, context: ReconcileContext) => Promise<ReconcileResult | undefined>;

/**
 * A failure that trying again cannot cure: what the person wrote is wrong. The key is not retried until something about
 * it changes.
 */
export class TerminalError extends CapstanError {}

/** A reconcile did not end in its time. Its signal was aborted; the key is tried again once it has really ended. */
export class ReconcileTimedOut extends CapstanError {
  constructor(key: string, timeoutMs: number) {
    super('reconcile_timed_out', `reconciling ${key} took more than ${timeoutMs} ms and was told to stop.`);
  }
}

/** The reason of an abort when the controller stops. */
export class ControllerStopped extends CapstanError {
  constructor(name: string) {
    super('controller_stopped', `the controller "${name}" is stopping.`);
  }
}
