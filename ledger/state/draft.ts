import type { Account, ClaimableBalance, Trustline } from './entries.ts';

/** Entries by id, as of some ledger. */
export interface StateReader {
  account(id: string): Account | null;
  claimableBalance(id: string): ClaimableBalance | null;
}

/** The ledger that a change belongs to. */
export interface LedgerTime {
  readonly ledger: number;
  /** Unix seconds */
  readonly closeTime: number;
}

/**
 * Changes over a state that can be kept or dropped as one: a transaction's over the ledger's, an operation's over
 * the transaction's. Null stands for a removed entry.
 */
export class Draft implements StateReader {
  readonly accounts = new Map<string, Account | null>();
  readonly claimableBalances = new Map<string, ClaimableBalance | null>();
  readonly time: LedgerTime;
  readonly #base: StateReader;

  constructor(base: StateReader, time: LedgerTime) {
    this.#base = base;
    this.time = time;
  }

  account(id: string): Account | null {
    const own = this.accounts.get(id);
    return own === undefined ? this.#base.account(id) : own;
  }

  claimableBalance(id: string): ClaimableBalance | null {
    const own = this.claimableBalances.get(id);
    return own === undefined ? this.#base.claimableBalance(id) : own;
  }

  putAccount(account: Account): void {
    const { ledger, closeTime } = this.time;
    this.accounts.set(account.id, { ...account, lastModifiedLedger: ledger, lastModifiedTime: closeTime });
  }

  removeAccount(id: string): void {
    this.accounts.set(id, null);
  }

  putTrustline(account: Account, key: string, line: Trustline): void {
    const trustlines = new Map(account.trustlines);
    trustlines.set(key, { ...line, lastModifiedLedger: this.time.ledger });
    this.putEntryOf(account, { trustlines });
  }

  /**
   * Replaces what hangs below an account. Unlike a change of the account's own fields, a new balance of a
   * trustline is no modification of the account entry.
   */
  putEntryOf(account: Account, change: Partial<Account>): void {
    this.accounts.set(account.id, { ...account, ...change });
  }

  putClaimableBalance(balance: ClaimableBalance): void {
    this.claimableBalances.set(balance.id, balance);
  }

  removeClaimableBalance(id: string): void {
    this.claimableBalances.set(id, null);
  }

  /** Makes the changes part of the draft below. */
  keepIn(target: Draft): void {
    for (const [id, account] of this.accounts) target.accounts.set(id, account);
    for (const [id, balance] of this.claimableBalances) target.claimableBalances.set(id, balance);
  }
}
