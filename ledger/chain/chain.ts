import type { Candidate } from '../apply/transaction.ts';
import { LedgerError } from '../errors.ts';
import {
  FRIENDBOT_FLOAT,
  GENESIS_LEDGER,
  TOTAL_COINS,
  friendbotKeypair,
  networkId,
  rootKeypair,
} from '../network.ts';
import { Draft } from '../state/draft.ts';
import { newAccount, spendable } from '../state/entries.ts';
import { Store } from '../state/store.ts';
import { checkTransaction, refusal } from '../validate/check.ts';
import { KeyCache, SignatureChecker } from '../validate/signatures.ts';
import { feeAccount, parseEnvelope } from '../wire/envelope.ts';
import type { ParsedTransaction } from '../wire/envelope.ts';
import type { TransactionOutcome } from '../wire/result.ts';
import { applyLedger, applyOrder } from './apply-ledger.ts';
import type { LedgerPlan } from './apply-ledger.ts';
import { buildHeader } from './header.ts';
import { History } from './history.ts';
import { Queue } from './queue.ts';
import { ledgerToken } from './records.ts';
import type { LedgerRecord } from './records.ts';
import { selectTransactions } from './selection.ts';
import type { Surge } from './selection.ts';

/** What the node answers to a submission at once. */
export type Admission =
  | { readonly status: 'PENDING' | 'DUPLICATE' | 'TRY_AGAIN_LATER' }
  | { readonly status: 'ERROR'; readonly outcome: TransactionOutcome };

export interface ChainOptions {
  readonly passphrase: string;
  readonly maxOperations: number;
  /** how many ledgers stay known; older ones answer 410 */
  readonly historyLedgers: number;
}

/**
 * The network itself: state, history and queue. It does no I/O and knows no clock: who owns it says when a ledger
 * closes, and at what time.
 */
export class Chain {
  readonly passphrase: string;
  readonly network: Buffer;
  readonly maxOperations: number;
  readonly store = new Store();
  readonly history: History;
  readonly queue: Queue;
  readonly #historyLedgers: number;
  readonly #keys = new KeyCache();
  #latest: LedgerRecord;

  constructor(options: ChainOptions) {
    this.passphrase = options.passphrase;
    this.network = networkId(options.passphrase);
    this.maxOperations = options.maxOperations;
    this.#historyLedgers = options.historyLedgers;
    this.history = new History(this.network);
    this.queue = new Queue(options.maxOperations);
    this.#latest = this.#genesis();
  }

  get latest(): LedgerRecord {
    return this.#latest;
  }

  /** @throws MalformedEnvelopeError */
  parse(envelopeXdr: string): ParsedTransaction {
    return parseEnvelope(this.network, envelopeXdr);
  }

  /**
   * Takes a transaction into the queue, or says why not.
   * @param now Unix seconds, by the node's own clock
   */
  submit(transaction: ParsedTransaction, now: number): Admission {
    const slot = this.queue.slotFor(transaction);
    switch (slot.kind) {
      case 'duplicate':
        return { status: 'DUPLICATE' };
      case 'try_again_later':
        return { status: 'TRY_AGAIN_LATER' };
      case 'bad_sequence':
        return { status: 'ERROR', outcome: refusal(transaction, 'tx_bad_seq') };
      case 'insufficient_fee':
        return { status: 'ERROR', outcome: refusal(transaction, 'tx_insufficient_fee', slot.feeNeeded) };
      case 'free':
      case 'replace':
        return this.#admit(transaction, now);
    }
  }

  /**
   * Decides what the next ledger holds; drops from the queue what became invalid.
   * @param now Unix seconds
   */
  plan(now: number, surge: Surge | null): LedgerPlan {
    const sequence = this.#latest.sequence + 1;
    // A real network's close times grow strictly; here they may repeat, for ledgers faster than a second.
    const closeTime = Math.max(Math.floor(now), this.#latest.closedAt);
    const valid = this.queue.byBid().filter((candidate) => {
      if (this.#check(candidate, closeTime, closeTime) === null) return true;
      this.queue.drop(candidate);
      return false;
    });
    const { included, baseFee } = selectTransactions(valid, this.maxOperations, surge);
    const candidates = applyOrder(this.#latest.hash, included);
    return { sequence, closeTime, baseFee, candidates, surgeBid: surge?.bidStroops ?? null };
  }

  /** Closes a ledger as planned. */
  close(plan: LedgerPlan): LedgerRecord {
    if (plan.sequence !== this.#latest.sequence + 1) {
      throw new LedgerError(
        'ledger_out_of_order',
        `Ledger ${plan.sequence} cannot follow ${this.#latest.sequence}.`,
      );
    }
    const { draft, record, applied } = applyLedger(this.store, plan, this.#latest, this.maxOperations);
    this.store.commit(draft);
    this.history.add(record, applied);
    this.history.forgetBefore(record.sequence - this.#historyLedgers + 1);
    this.#latest = record;
    this.queue.ledgerClosed(applied.map(({ parsed }) => parsed));
    return record;
  }

  candidate(transaction: ParsedTransaction): Candidate {
    const inner = new SignatureChecker(transaction.inner, this.#keys);
    const bump = transaction.bump === null ? null : new SignatureChecker(transaction.bump, this.#keys);
    return { transaction, signatures: { inner, bump } };
  }

  #admit(transaction: ParsedTransaction, now: number): Admission {
    const candidate = this.candidate(transaction);
    const { closedAt } = this.#latest;
    const problem = this.#check(candidate, closedAt, Math.max(closedAt, Math.floor(now)));
    if (problem !== null) return { status: 'ERROR', outcome: problem };
    const payer = this.store.account(feeAccount(transaction));
    const held = this.queue.feesHeld(feeAccount(transaction), transaction.inner.source.account);
    if (payer !== null && spendable(payer) < held + transaction.maxFee) {
      return { status: 'ERROR', outcome: refusal(transaction, 'tx_insufficient_balance') };
    }
    this.queue.add(candidate);
    return { status: 'PENDING' };
  }

  #check(
    { transaction, signatures }: Candidate,
    earliest: number,
    latest: number,
  ): TransactionOutcome | null {
    const ledger = this.#latest.sequence + 1;
    return checkTransaction({
      transaction,
      signatures,
      state: this.store,
      ledger,
      earliest,
      latest,
      applying: false,
    });
  }

  /** The first ledger: closed at the epoch, all lumens in the root account but for the friendbot's float. */
  #genesis(): LedgerRecord {
    const draft = new Draft(this.store, { ledger: GENESIS_LEDGER, closeTime: 0 });
    const root = rootKeypair(this.passphrase).publicKey();
    const friendbot = friendbotKeypair(this.passphrase).publicKey();
    draft.putAccount({ ...newAccount(root, TOTAL_COINS - FRIENDBOT_FLOAT, GENESIS_LEDGER, 0), sequence: 0n });
    draft.putAccount({ ...newAccount(friendbot, FRIENDBOT_FLOAT, GENESIS_LEDGER, 0), sequence: 0n });
    this.store.commit(draft);
    const previousHash = '0'.repeat(64);
    const header = buildHeader({
      sequence: GENESIS_LEDGER,
      previousHash,
      closeTime: 0,
      feePool: 0n,
      maxOperations: this.maxOperations,
      transactionHashes: [],
      results: [],
    });
    const record: LedgerRecord = {
      ...header,
      token: ledgerToken(GENESIS_LEDGER),
      sequence: GENESIS_LEDGER,
      previousHash,
      closedAt: 0,
      feePool: 0n,
      successfulCount: 0,
      failedCount: 0,
      operationCount: 0,
      setOperationCount: 0,
      transactions: [],
      surgeBid: null,
    };
    this.history.add(record, []);
    return record;
  }
}
