import { Account, Operation, TransactionBuilder } from '@stellar/stellar-sdk';
import type { Chain } from './chain/chain.ts';
import { LedgerError } from './errors.ts';
import {
  BASE_FEE,
  FRIENDBOT_STARTING_BALANCE,
  MAX_OPERATIONS_PER_TRANSACTION,
  friendbotKeypair,
  rootKeypair,
} from './network.ts';
import { formatAmount } from './wire/primitives.ts';

/** How many accounts may wait for their gift. */
const MAX_WAITING = 10_000;
/** How long a gift's transaction stays valid, seconds. */
const VALID_SECONDS = 300n;

export class FriendbotBusyError extends LedgerError {
  constructor() {
    super('friendbot_busy', 'Too many accounts wait for the friendbot: ask again after the next ledger.');
  }
}

/**
 * Makes accounts with 10,000 XLM of the root account's, up to a hundred in one transaction of a ledger. The
 * transaction's source is the friendbot's own account, so that the root account's sequence number stays free for
 * others.
 */
export class Friendbot {
  readonly #chain: Chain;
  /** account → who is told the hash of its transaction */
  readonly #waiting = new Map<string, ((hash: string) => void)[]>();

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  /**
   * Puts an account on the list for the next ledger.
   * @returns the hash of the transaction that makes it, once there is one
   * @throws FriendbotBusyError
   */
  async request(account: string): Promise<string> {
    if (this.#waiting.size >= MAX_WAITING) throw new FriendbotBusyError();
    return new Promise((resolve) => {
      this.#waiting.set(account, [...(this.#waiting.get(account) ?? []), resolve]);
    });
  }

  /** Queues one transaction for the accounts that wait; those that exist by now get nothing more. */
  queueGifts(now: number): void {
    const missing = [...this.#waiting.keys()].filter((id) => this.#chain.store.account(id) === null);
    const accounts = missing.slice(0, MAX_OPERATIONS_PER_TRANSACTION);
    if (accounts.length === 0) return;
    const envelopeXdr = this.#build(accounts, now);
    const transaction = envelopeXdr === null ? null : this.#chain.parse(envelopeXdr);
    if (transaction === null || this.#chain.submit(transaction, now).status !== 'PENDING') return;
    for (const account of accounts) {
      for (const tell of this.#waiting.get(account) ?? []) tell(transaction.hashHex);
      this.#waiting.delete(account);
    }
  }

  #build(accounts: readonly string[], now: number): string | null {
    const { passphrase, store, latest } = this.#chain;
    const friendbot = friendbotKeypair(passphrase);
    const root = rootKeypair(passphrase);
    const own = store.account(friendbot.publicKey());
    if (own === null) return null;
    const validUntil = BigInt(Math.max(Math.floor(now), latest.closedAt)) + VALID_SECONDS;
    const builder = new TransactionBuilder(new Account(own.id, String(own.sequence)), {
      // A surge must not starve the set-up of a test.
      fee: String(latest.surgeBid === null ? BASE_FEE : latest.surgeBid + BASE_FEE),
      networkPassphrase: passphrase,
      timebounds: { minTime: 0, maxTime: String(validUntil) },
    });
    for (const destination of accounts) {
      const startingBalance = formatAmount(FRIENDBOT_STARTING_BALANCE);
      builder.addOperation(
        Operation.createAccount({ source: root.publicKey(), destination, startingBalance }),
      );
    }
    const transaction = builder.build();
    transaction.sign(friendbot, root);
    return transaction.toXDR();
  }
}
