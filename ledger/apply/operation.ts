import type { Draft } from '../state/draft.ts';
import type { Account } from '../state/entries.ts';
import type { ParsedOperation, ParsedTransaction } from '../wire/envelope.ts';
import type { OperationOutcome } from '../wire/result.ts';

/** What an operation is applied with: changes go to the draft, which is dropped if the outcome is no success. */
export interface ApplyContext {
  readonly draft: Draft;
  readonly transaction: ParsedTransaction;
  readonly operation: ParsedOperation;
  /** from 0 */
  readonly index: number;
  /** the operation's source account, which exists */
  readonly source: Account;
}

/** Which of the source's thresholds must be met. */
export type ThresholdLevel = 'low' | 'medium' | 'high';

/**
 * One kind of operation.
 * - `threshold`: which threshold of the source it needs;
 * - `check`: what is wrong with it in itself, whatever the state; null if nothing;
 * - `apply`: does it, or says why not.
 */
export interface OperationHandler<Body> {
  threshold(body: Body): ThresholdLevel;
  check(body: Body, sourceId: string): string | null;
  apply(body: Body, context: ApplyContext): OperationOutcome;
}

export function fail(code: string): OperationOutcome {
  return { code };
}

export function neededWeight(account: Account, level: ThresholdLevel): number {
  if (level === 'low') return account.lowThreshold;
  return level === 'medium' ? account.mediumThreshold : account.highThreshold;
}
