import type { Candidate } from '../apply/transaction.ts';
import { BAN_LEDGERS, QUEUE_LEDGERS, REPLACE_FEE_FACTOR } from '../network.ts';
import { feeAccount } from '../wire/envelope.ts';
import type { ParsedTransaction } from '../wire/envelope.ts';

interface Entry extends Candidate {
  /** ledgers that closed without it */
  age: number;
}

/** How many ledgers' worth of operations may wait. */
const QUEUE_CAPACITY_LEDGERS = 4;

/** What the queue says before the transaction itself is looked at. */
export type Slot =
  | { readonly kind: 'free' }
  | { readonly kind: 'replace' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'try_again_later' }
  | { readonly kind: 'bad_sequence' }
  /** stroops that would do */
  | { readonly kind: 'insufficient_fee'; readonly feeNeeded: bigint };

/** Positive if `left` bids more per operation. */
export function compareBids(left: ParsedTransaction, right: ParsedTransaction): number {
  const difference = left.maxFee * BigInt(right.feeOperations) - right.maxFee * BigInt(left.feeOperations);
  if (difference !== 0n) return difference > 0n ? 1 : -1;
  return 0;
}

function ceilDivide(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by;
}

/** The network's rules for transactions that wait: one per source account, replaced only by a far better bid. */
export class Queue {
  readonly #entries = new Map<string, Entry>();
  /** hash → ledgers left */
  readonly #banned = new Map<string, number>();
  readonly #capacity: number;
  #operations = 0;

  /** @param maxOperations of one ledger */
  constructor(maxOperations: number) {
    this.#capacity = maxOperations * QUEUE_CAPACITY_LEDGERS;
  }

  get size(): number {
    return this.#entries.size;
  }

  slotFor(transaction: ParsedTransaction): Slot {
    if (this.#banned.has(transaction.hashHex)) return { kind: 'try_again_later' };
    const waiting = this.#entries.get(transaction.inner.source.account)?.transaction;
    if (waiting === undefined) return this.#roomFor(transaction);
    const same =
      waiting.hashHex === transaction.hashHex ||
      (transaction.bump === null && waiting.inner.hashHex === transaction.hashHex);
    if (same) return { kind: 'duplicate' };
    if (transaction.inner.sequence < waiting.inner.sequence) return { kind: 'bad_sequence' };
    if (transaction.bump === null || transaction.inner.sequence !== waiting.inner.sequence) {
      return { kind: 'try_again_later' };
    }
    const needed = REPLACE_FEE_FACTOR * waiting.maxFee * BigInt(transaction.feeOperations);
    if (transaction.maxFee * BigInt(waiting.feeOperations) >= needed) return { kind: 'replace' };
    return { kind: 'insufficient_fee', feeNeeded: ceilDivide(needed, BigInt(waiting.feeOperations)) };
  }

  /** Stroops that waiting transactions may cost an account, but for the one in `exceptSource`'s slot. */
  feesHeld(account: string, exceptSource: string): bigint {
    let held = 0n;
    for (const [source, { transaction }] of this.#entries) {
      if (source !== exceptSource && feeAccount(transaction) === account) held += transaction.maxFee;
    }
    return held;
  }

  /** Takes a transaction into its account's slot, which `slotFor` said to be free or replaceable. */
  add(candidate: Candidate): void {
    this.#remove(candidate.transaction.inner.source.account);
    this.#entries.set(candidate.transaction.inner.source.account, { ...candidate, age: 0 });
    this.#operations += candidate.transaction.feeOperations;
    while (this.#operations > this.#capacity) {
      const lowest = this.byBid().at(-1);
      if (lowest === undefined) return;
      this.drop(lowest);
    }
  }

  /** By bid, the highest first. */
  byBid(): Candidate[] {
    return [...this.#entries.values()].sort(
      (left, right) =>
        compareBids(right.transaction, left.transaction) ||
        (left.transaction.hashHex < right.transaction.hashHex ? -1 : 1),
    );
  }

  /** Removes a transaction and keeps it away for a while. */
  drop({ transaction }: Candidate): void {
    this.#remove(transaction.inner.source.account);
    this.#banned.set(transaction.hashHex, BAN_LEDGERS);
  }

  /** Removes what a ledger made moot, ages the rest, and lets go of what waited too long. */
  ledgerClosed(applied: readonly ParsedTransaction[]): void {
    for (const [hash, left] of this.#banned) {
      if (left <= 1) this.#banned.delete(hash);
      else this.#banned.set(hash, left - 1);
    }
    for (const { inner } of applied) {
      const waiting = this.#entries.get(inner.source.account);
      if (waiting !== undefined && waiting.transaction.inner.sequence <= inner.sequence) {
        this.#remove(inner.source.account);
      }
    }
    for (const entry of this.#entries.values()) {
      entry.age += 1;
      if (entry.age >= QUEUE_LEDGERS) this.drop(entry);
    }
  }

  #remove(source: string): void {
    const entry = this.#entries.get(source);
    if (entry === undefined) return;
    this.#entries.delete(source);
    this.#operations -= entry.transaction.feeOperations;
  }

  #roomFor(transaction: ParsedTransaction): Slot {
    if (this.#operations + transaction.feeOperations <= this.#capacity) return { kind: 'free' };
    const lowest = this.byBid().at(-1)?.transaction;
    if (lowest === undefined || compareBids(transaction, lowest) > 0) return { kind: 'free' };
    const needed = lowest.maxFee * BigInt(transaction.feeOperations);
    return { kind: 'insufficient_fee', feeNeeded: ceilDivide(needed, BigInt(lowest.feeOperations)) + 1n };
  }
}
