import { createHash } from 'node:crypto';
import type { FaultKind, InjectedKind, WalletKind } from './kinds.ts';
import type { Plan } from './minimums.ts';
import { planFaults } from './plan-faults.ts';
import { planBursts, planDeposits, planWithdrawals } from './plan-wallets.ts';
import { randomOf } from './random.ts';

/** One fault by the clock of the run. What it hits is drawn by `pick` among what is there at that moment. */
export interface PlannedFault {
  readonly atMs: number;
  readonly kind: InjectedKind;
  readonly durationMs: number;
  /** From 0 to 1. */
  readonly pick: number;
  /** From 0 to 1: how bad, or which variant. */
  readonly degree: number;
}

/** Of the anchor's assets: two tokens on one distribution account, XLM on another (anchor-files.ts). */
export type AssetName = 'first' | 'second' | 'native';

/** A payout that is laid on the ledger for a customer without a trustline, who claims it or never comes. */
export type ClaimPlan = 'claimed' | 'reclaimed';

export interface PlannedDeposit {
  readonly index: number;
  readonly atMs: number;
  readonly customer: number;
  readonly asset: AssetName;
  /** Decimal, one of its kind in the run: what arrives at the bank. */
  readonly amount: string;
  /** From the end of the form to the bank transfer. */
  readonly paysAfterMs: number;
  /** Not before this moment, with all of its burst. */
  readonly paysAtMs?: number;
  /** An id. */
  readonly memo?: string;
  readonly claim?: ClaimPlan;
  readonly fault?: Extract<WalletKind, 'trustlineRemoved'>;
}

/** What the bank will do with a withdrawal. */
export type BankPlan = 'pays' | 'paysLater' | 'refunds' | 'refundsPart';
export type WrongPayment = 'tooLittle' | 'tooMuch' | 'otherAsset' | 'otherMemo' | 'noMemo' | 'textMemo';
/** By which operation a wallet pays. */
export type PaymentWay = 'payment' | 'pathReceive' | 'pathSend' | 'muxed' | 'contract';

export interface PlannedWithdrawal {
  readonly index: number;
  readonly atMs: number;
  readonly customer: number;
  readonly asset: AssetName;
  /** Decimal, one of its kind in the run: what is paid on the ledger, unless the wallet errs. */
  readonly amount: string;
  readonly way: PaymentWay;
  readonly bank: BankPlan;
  readonly fault?: Exclude<WalletKind, 'trustlineRemoved'>;
  readonly wrong: WrongPayment;
}

export interface Schedule {
  readonly seed: number;
  readonly minutes: number;
  readonly durationMs: number;
  readonly customers: number;
  readonly faults: readonly PlannedFault[];
  readonly deposits: readonly PlannedDeposit[];
  readonly withdrawals: readonly PlannedWithdrawal[];
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Only these kinds of faults; default: all. */
  readonly only?: readonly FaultKind[];
  /** So many times as many transactions and faults a minute; default: 1. */
  readonly density?: number;
  /** Without bursts and claimable balances, which take a minute and more; default: with them. */
  readonly isShort?: boolean;
}

const CUSTOMERS = 24;

/** All that a seed brings about, as a pure function of it. */
export function scheduleOf({ seed, minutes, only, density = 1, isShort = false }: ScheduleOptions): Schedule {
  const durationMs = Math.round(minutes * 60_000);
  const isWanted = (kind: FaultKind): boolean => only === undefined || only.includes(kind);
  const plan: Plan = { minutes, durationMs, density, isWanted, isShort, customers: CUSTOMERS };
  const deposits = planDeposits(randomOf(seed, 'deposits'), plan);
  const bursts = isShort ? [] : planBursts(randomOf(seed, 'bursts'), plan, deposits.length);
  return {
    seed,
    minutes,
    durationMs,
    customers: CUSTOMERS,
    faults: planFaults(randomOf(seed, 'faults'), plan, burstMoments(bursts)),
    deposits: [...deposits, ...bursts],
    withdrawals: planWithdrawals(randomOf(seed, 'withdrawals'), plan),
  };
}

const burstMoments = (bursts: readonly PlannedDeposit[]): readonly number[] => [
  ...new Set(bursts.flatMap(({ paysAtMs }) => (paysAtMs === undefined ? [] : [paysAtMs]))),
];

/** Tells two schedules apart at a glance. */
export function fingerprintOf(schedule: Schedule): string {
  return createHash('sha256').update(JSON.stringify(schedule)).digest('hex').slice(0, 12);
}

/** How often each kind is planned. */
export function countKinds(schedule: Schedule): ReadonlyMap<FaultKind, number> {
  const counts = new Map<FaultKind, number>();
  const kinds = [
    ...schedule.faults.map(({ kind }) => kind),
    ...[...schedule.deposits, ...schedule.withdrawals].flatMap(({ fault }) => (fault ? [fault] : [])),
  ];
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
