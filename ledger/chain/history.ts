import { parseEnvelope } from '../wire/envelope.ts';
import type { ParsedTransaction } from '../wire/envelope.ts';
import { feeAccount } from '../wire/envelope.ts';
import { Lane } from './lane.ts';
import type { Window } from './lane.ts';
import { isPayment, participants } from './participants.ts';
import { ledgerToken } from './records.ts';
import type { LedgerRecord, OperationRecord, TransactionRecord } from './records.ts';

/**
 * Operations whose decoded envelopes are kept for rendering, one more for each envelope: decoding costs ten times the rendering. About
 * 100 MB when it is full.
 */
const DECODED_OPERATIONS = 50_000;
/** Forgotten ledgers leave memory in batches of this many. */
const PRUNE_BATCH = 256;

/** The records that one list of the API pages through. */
export interface Lanes {
  readonly transactions: Lane<TransactionRecord>;
  readonly operations: Lane<OperationRecord>;
  readonly payments: Lane<OperationRecord>;
}

function weightOf({ inner }: ParsedTransaction): number {
  return inner.operations.length + 1;
}

function newLanes(): Lanes {
  return { transactions: new Lane(), operations: new Lane(), payments: new Lane() };
}

/** A transaction as the ledger applied it, with the records to keep. */
export interface AppliedTransaction {
  readonly parsed: ParsedTransaction;
  readonly record: TransactionRecord;
}

/** What closed, indexed the way it is asked for; nothing is ever searched from end to end. */
export class History {
  readonly ledgers = new Lane<LedgerRecord>();
  readonly all: Lanes = newLanes();
  readonly #accounts = new Map<string, Lanes>();
  readonly #byHash = new Map<string, TransactionRecord>();
  readonly #decoded = new Map<string, ParsedTransaction>();
  #decodedOperations = 0;
  readonly #network: Uint8Array;
  #oldest = 0;
  #pruned = 0;

  constructor(network: Uint8Array) {
    this.#network = network;
  }

  /** The first ledger that is still known. */
  get oldest(): number {
    return this.#oldest;
  }

  ofAccount(id: string): Lanes | null {
    return this.#accounts.get(id) ?? null;
  }

  /** By a transaction's hash, or by the hash of what a fee bump holds. */
  byHash(hash: string): TransactionRecord | null {
    const record = this.#byHash.get(hash) ?? null;
    return record !== null && record.ledger < this.#oldest ? null : record;
  }

  add(ledger: LedgerRecord, applied: readonly AppliedTransaction[]): void {
    if (this.ledgers.last === undefined) this.#oldest = ledger.sequence;
    this.ledgers.push(ledger);
    for (const transaction of applied) this.#addTransaction(transaction);
  }

  /** Makes `sequence` the oldest known ledger; never brings one back. */
  forgetBefore(sequence: number): void {
    if (sequence <= this.#oldest) return;
    this.#oldest = sequence;
    if (sequence - this.#pruned < PRUNE_BATCH) return;
    this.#pruned = sequence;
    this.#prune(ledgerToken(sequence));
  }

  /** The tokens of the ledgers from the oldest known to `latest`. */
  window(latest: number): Window {
    return { first: ledgerToken(this.#oldest), end: ledgerToken(latest + 1) };
  }

  decoded(record: TransactionRecord): ParsedTransaction {
    const known = this.#decoded.get(record.hash);
    if (known !== undefined) return known;
    const parsed = parseEnvelope(this.#network, record.envelopeXdr);
    this.#remember(parsed);
    return parsed;
  }

  #remember(parsed: ParsedTransaction): void {
    this.#decoded.set(parsed.hashHex, parsed);
    this.#decodedOperations += weightOf(parsed);
    for (const [hash, oldest] of this.#decoded) {
      if (this.#decodedOperations <= DECODED_OPERATIONS) break;
      this.#decoded.delete(hash);
      this.#decodedOperations -= weightOf(oldest);
    }
  }

  #addTransaction({ parsed, record }: AppliedTransaction): void {
    this.#remember(parsed);
    this.#byHash.set(record.hash, record);
    if (record.innerHash !== null) this.#byHash.set(record.innerHash, record);
    this.all.transactions.push(record);
    const involved = new Set([parsed.inner.source.account, feeAccount(parsed)]);
    for (const [index, operation] of parsed.inner.operations.entries()) {
      const token = record.token + BigInt(index + 1);
      const entry = { token, transaction: record, index };
      const accounts = participants(operation);
      const lanes = [this.all, ...[...accounts].map((id) => this.#lanes(id))];
      for (const lane of lanes) {
        lane.operations.push(entry);
        if (isPayment(operation.body)) lane.payments.push(entry);
      }
      for (const id of accounts) involved.add(id);
    }
    for (const id of involved) this.#lanes(id).transactions.push(record);
  }

  #lanes(account: string): Lanes {
    const known = this.#accounts.get(account);
    if (known !== undefined) return known;
    const lanes = newLanes();
    this.#accounts.set(account, lanes);
    return lanes;
  }

  #prune(token: bigint): void {
    this.ledgers.dropBefore(token);
    for (const { hash, innerHash } of this.all.transactions.dropBefore(token)) {
      this.#byHash.delete(hash);
      if (innerHash !== null) this.#byHash.delete(innerHash);
    }
    for (const lanes of [this.all, ...this.#accounts.values()]) {
      lanes.transactions.dropBefore(token);
      lanes.operations.dropBefore(token);
      lanes.payments.dropBefore(token);
    }
  }
}
