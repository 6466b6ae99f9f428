import type { Chain, Admission } from './chain/chain.ts';
import type { LedgerRecord, TransactionRecord } from './chain/records.ts';
import type { Surge } from './chain/selection.ts';
import type { Friendbot } from './friendbot.ts';
import type { Journal } from './journal.ts';
import type { Faults } from './misbehaviour.ts';
import type { ParsedTransaction } from './wire/envelope.ts';

type Log = (message: string, detail?: object) => void;
type CloseListener = (record: LedgerRecord) => void;

export interface NodeParts {
  readonly chain: Chain;
  readonly faults: Faults;
  readonly friendbot: Friendbot;
  /** null = memory only */
  readonly journal: Journal | null;
  /** ms since the epoch */
  readonly now: () => number;
  readonly log: Log;
}

/** The validator: owns the chain's clock, writes each ledger down before it counts, tells who waits. */
export class LedgerNode {
  readonly chain: Chain;
  readonly faults: Faults;
  readonly #parts: NodeParts;
  readonly #listeners = new Set<CloseListener>();
  #closing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.chain = parts.chain;
    this.faults = parts.faults;
  }

  nowSeconds(): number {
    return this.#parts.now() / 1000;
  }

  submit(transaction: ParsedTransaction): Admission {
    return this.chain.submit(transaction, this.nowSeconds());
  }

  /** Calls back after every ledger; returns what ends it. */
  onClose(listener: CloseListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The transaction once it is in a ledger, or null if the time is over or the signal aborts before. */
  async waitFor(hash: string, timeoutMs: number, signal: AbortSignal): Promise<TransactionRecord | null> {
    const known = this.chain.history.byHash(hash);
    if (known !== null || signal.aborted || this.#stopped) return known;
    return new Promise((resolve) => {
      const finish = (record: TransactionRecord | null): void => {
        clearTimeout(timer);
        stop();
        signal.removeEventListener('abort', giveUp);
        resolve(record);
      };
      const giveUp = (): void => finish(null);
      const timer = setTimeout(giveUp, timeoutMs);
      const stop = this.onClose(() => {
        const record = this.chain.history.byHash(hash);
        if (record !== null) finish(record);
      });
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Closes one ledger, after those that are already being closed. */
  async closeLedger(): Promise<void> {
    const turn = this.#closing.then(() => this.#close());
    this.#closing = turn.catch(() => {});
    return turn;
  }

  /** Closes a ledger every interval until `stop`; a slow one delays the next rather than piling up. */
  start(intervalMs: number): void {
    const tick = async (): Promise<void> => {
      const begun = this.#parts.now();
      try {
        if (this.faults.take('skipCloses', this.chain.queue.size > 0) === null) await this.closeLedger();
      } catch (thrown) {
        this.#parts.log('a ledger did not close', { error: String(thrown) });
      }
      if (this.#stopped) return;
      this.#timer = setTimeout(run, Math.max(0, intervalMs - (this.#parts.now() - begun)));
    };
    const run = (): void => {
      void tick();
    };
    this.#timer = setTimeout(run, intervalMs);
  }

  /** Ends the clock and waits for the ledger that is being closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#closing;
    await this.#parts.journal?.close();
  }

  async #close(): Promise<void> {
    const { chain, friendbot, journal, faults, log } = this.#parts;
    friendbot.queueGifts(this.nowSeconds());
    const plan = chain.plan(this.nowSeconds(), this.#surge());
    const { sequence, closeTime, baseFee, candidates } = plan;
    const envelopes = candidates.map(({ transaction }) => transaction.envelopeXdr);
    await journal?.append({ sequence, closeTime, baseFee: String(baseFee), envelopes });
    const record = chain.close(plan);
    const forget = faults.peek('forgetHistory');
    if (forget !== null) chain.history.forgetBefore(sequence - forget.keepLedgers + 1);
    if (candidates.length > 0) log('ledger closed', { sequence, transactions: candidates.length });
    for (const listener of this.#listeners) listener(record);
  }

  #surge(): Surge | null {
    const surge = this.faults.take('surge', this.chain.queue.size > 0);
    if (surge === null) return null;
    return { bidStroops: BigInt(surge.bidStroops), operations: surge.operations ?? this.chain.maxOperations };
  }
}
