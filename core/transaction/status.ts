import { CapstanError } from '../runtime/errors.ts';

/** SEP-24 "Transaction statuses", all of them. */
export const STATUSES = [
  'incomplete',
  'pending_user_transfer_start',
  'pending_user_transfer_complete',
  'pending_external',
  'pending_anchor',
  'on_hold',
  'pending_stellar',
  'pending_trust',
  'pending_user',
  'completed',
  'refunded',
  'expired',
  'no_market',
  'too_small',
  'too_large',
  'error',
] as const;

export type Status = (typeof STATUSES)[number];
export type Kind = 'deposit' | 'withdrawal';

/** What the state machine needs to know of a transaction. */
export interface Situation {
  readonly kind: Kind;
  readonly status: Status;
  /** The customer's money has provably arrived: at the bank (deposit) or on the ledger (withdrawal). */
  readonly isFunded: boolean;
}

/** No transition leaves these, whoever asks. */
export const FINAL: readonly Status[] = ['completed', 'refunded', 'too_small', 'too_large', 'no_market'];

type Row = Partial<Record<Status, readonly Status[]>>;

/**
 * The one table of allowed status changes (SEP-24's diagram and status texts). `error` is reachable from everything
 * that is not final and `expired` from everything not final and not funded; they are added by {@link isAllowed}.
 */
const BEFORE_FUNDS: Row = {
  incomplete: ['pending_anchor', 'pending_user_transfer_start'],
  pending_anchor: ['incomplete', 'pending_user_transfer_start'],
  pending_user_transfer_start: ['pending_anchor', 'on_hold'],
  on_hold: ['pending_user_transfer_start', 'pending_anchor'],
};

const UNFUNDED: Readonly<Record<Kind, Row>> = {
  deposit: {
    ...BEFORE_FUNDS,
    pending_user_transfer_start: ['pending_external', 'pending_anchor', 'on_hold'],
    pending_external: ['pending_user_transfer_start'],
  },
  // The bank has nothing to do before the tokens are here.
  withdrawal: BEFORE_FUNDS,
};

/** The same once the money is here; entering it happens with the change that sets `isFunded`. */
const FUNDED: Readonly<Record<Kind, Row>> = {
  deposit: {
    pending_user_transfer_start: ['pending_anchor', 'on_hold', 'too_small', 'too_large'],
    pending_external: ['pending_anchor', 'on_hold', 'refunded', 'too_small', 'too_large'],
    pending_anchor: [
      'pending_trust',
      'pending_user',
      'pending_stellar',
      'pending_external',
      'on_hold',
      // The ledger proves a payment after somebody moved the transaction back.
      'completed',
      'refunded',
      'no_market',
    ],
    on_hold: ['pending_anchor', 'pending_external', 'refunded'],
    pending_trust: ['pending_anchor', 'pending_stellar', 'on_hold', 'pending_external', 'refunded'],
    pending_user: ['pending_anchor'],
    pending_stellar: ['completed', 'pending_anchor', 'pending_trust'],
    expired: ['pending_anchor', 'on_hold'],
    // A proof from the ledger beats whatever somebody set meanwhile.
    error: ['pending_anchor', 'on_hold', 'refunded', 'completed'],
  },
  withdrawal: {
    pending_user_transfer_start: ['pending_anchor', 'on_hold'],
    pending_anchor: [
      'pending_user',
      'on_hold',
      'pending_external',
      'pending_user_transfer_complete',
      'pending_stellar',
      'completed',
      'refunded',
    ],
    on_hold: ['pending_anchor', 'pending_user_transfer_complete', 'pending_external', 'completed'],
    pending_user: ['pending_anchor'],
    pending_external: ['completed', 'pending_anchor', 'on_hold', 'pending_user_transfer_complete'],
    pending_user_transfer_complete: ['completed', 'pending_anchor'],
    pending_stellar: ['refunded', 'pending_anchor'],
    expired: ['pending_anchor', 'on_hold'],
    error: ['pending_anchor', 'on_hold', 'refunded'],
  },
};

export class TransitionRefused extends CapstanError {
  constructor(from: Situation, to: Status) {
    super(
      'transition_refused',
      `A ${from.isFunded ? 'funded' : 'not yet funded'} ${from.kind} cannot go from ${from.status} to ${to}.`,
    );
  }
}

/** Whether the state machine lets a transaction in `from` (with `isFunded` as it will be after the change) go to `to`. */
export function isAllowed(from: Situation, to: Status): boolean {
  if (from.status === to || FINAL.includes(from.status)) return false;
  if (to === 'error') return true;
  if (to === 'expired') return !from.isFunded && from.status !== 'error';
  const table = (from.isFunded ? FUNDED : UNFUNDED)[from.kind];
  return table[from.status]?.includes(to) ?? false;
}

/** @throws {TransitionRefused} when {@link isAllowed} says no. */
export function assertAllowed(from: Situation, to: Status): void {
  if (!isAllowed(from, to)) throw new TransitionRefused(from, to);
}

/** Whether the integration's poll hooks are asked about a transaction: only it can move it on. */
export function awaitsIntegration(situation: Situation): boolean {
  const { kind, status, isFunded } = situation;
  if (kind === 'deposit') {
    if (status === 'pending_anchor') return !isFunded;
    return ['pending_user_transfer_start', 'pending_external', 'on_hold', 'expired'].includes(status);
  }
  if (status === 'pending_anchor') return !isFunded;
  return isFunded && ['pending_external', 'pending_user_transfer_complete', 'on_hold'].includes(status);
}
