import type { FaultKind } from './kinds.ts';
import type { Situation } from './situations.ts';
import type { AssetName, BankPlan, ClaimPlan } from './schedule.ts';

/** What the customer of a deposit knows of it. */
export interface DepositRecord {
  readonly id: string;
  readonly account: string;
  readonly asset: AssetName;
  /** Decimal; what was given to the bank, once it was. */
  readonly amount: string;
  /** The id that its payment has to carry. */
  readonly memo: string | undefined;
  readonly claim: ClaimPlan | undefined;
  /** The account keeps no trustline at the end: the tokens cannot be paid. */
  isUntrusted: boolean;
}

/** What the customer of a withdrawal knows of it. */
export interface WithdrawalRecord {
  readonly id: string;
  readonly account: string;
  readonly asset: AssetName;
  readonly memo: string;
  readonly bank: BankPlan;
  /** Decimal; what the bank sends back, for plans with a refund in part. */
  readonly part: string;
}

/** A span of time whose writes a restored dump has taken away, in milliseconds since the epoch. */
export interface LostSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Everything that the simulator itself did, for the books and for the counts. */
export interface Records {
  readonly deposits: Map<string, DepositRecord>;
  readonly withdrawals: Map<string, WithdrawalRecord>;
  /** Transactions that a wallet began and gave up, because their form did not work. */
  readonly abandoned: Set<string>;
  /** Hashes of payments that were made from the hot wallet behind Capstan's back. */
  readonly foreign: Set<string>;
  readonly lost: LostSpan[];
  /** Payments that belonged to nothing, and that a person sent back. */
  readonly returned: { readonly account: string; readonly asset: AssetName; readonly amount: string }[];
  /** Faults that hit somebody. */
  readonly done: Map<FaultKind, number>;
  /** And those that found nobody to hit, which do not count. */
  readonly missed: Map<FaultKind, number>;
  readonly situations: Map<Situation, number>;
  /** How often the operator adopted what was foreign, and what stood against it at other times. */
  adoptions: number;
  readonly refusals: string[];
  /** What the simulator could not do; not the anchor's fault. */
  readonly troubles: string[];
}

export function newRecords(): Records {
  return {
    deposits: new Map(),
    withdrawals: new Map(),
    abandoned: new Set(),
    foreign: new Set(),
    lost: [],
    returned: [],
    done: new Map(),
    missed: new Map(),
    situations: new Map(),
    adoptions: 0,
    refusals: [],
    troubles: [],
  };
}

/** One more of its kind. */
export function count<Kind>(counts: Map<Kind, number>, kind: Kind): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
