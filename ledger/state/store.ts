import type { Draft, StateReader } from './draft.ts';
import type { Account, ClaimableBalance } from './entries.ts';

/** How many ledgers back a reader may lag. */
export const MAX_LAG_LEDGERS = 100;

/** What a ledger replaced: the entries as they were before it. */
interface Undo {
  readonly ledger: number;
  readonly accounts: ReadonlyMap<string, Account | null>;
  readonly claimableBalances: ReadonlyMap<string, ClaimableBalance | null>;
}

/** A state with its lists, as of one ledger. */
export interface StateView extends StateReader {
  accountIds(): Iterable<string>;
  claimableBalanceIds(): Iterable<string>;
}

function previousEntries<Entry>(
  current: ReadonlyMap<string, Entry>,
  changes: ReadonlyMap<string, Entry | null>,
): Map<string, Entry | null> {
  const previous = new Map<string, Entry | null>();
  for (const id of changes.keys()) previous.set(id, current.get(id) ?? null);
  return previous;
}

function applyEntries<Entry>(current: Map<string, Entry>, changes: ReadonlyMap<string, Entry | null>): void {
  for (const [id, entry] of changes) {
    if (entry === null) current.delete(id);
    else current.set(id, entry);
  }
}

/** All entries of the latest ledger, and enough of the past to show the network as it was some ledgers ago. */
export class Store implements StateView {
  readonly #accounts = new Map<string, Account>();
  readonly #claimableBalances = new Map<string, ClaimableBalance>();
  readonly #undo: Undo[] = [];

  account(id: string): Account | null {
    return this.#accounts.get(id) ?? null;
  }

  claimableBalance(id: string): ClaimableBalance | null {
    return this.#claimableBalances.get(id) ?? null;
  }

  accountIds(): Iterable<string> {
    return this.#accounts.keys();
  }

  claimableBalanceIds(): Iterable<string> {
    return this.#claimableBalances.keys();
  }

  /** Makes a ledger's changes the state. */
  commit(draft: Draft): void {
    this.#undo.push({
      ledger: draft.time.ledger,
      accounts: previousEntries(this.#accounts, draft.accounts),
      claimableBalances: previousEntries(this.#claimableBalances, draft.claimableBalances),
    });
    if (this.#undo.length > MAX_LAG_LEDGERS) this.#undo.shift();
    applyEntries(this.#accounts, draft.accounts);
    applyEntries(this.#claimableBalances, draft.claimableBalances);
  }

  /** The state after `ledger` closed, or the oldest that is still known. */
  asOf(ledger: number): StateView {
    const layers = this.#undo.filter((undo) => undo.ledger > ledger);
    if (layers.length === 0) return this;
    const find = <Entry>(pick: (undo: Undo) => Entry | null | undefined, now: Entry | null): Entry | null => {
      for (const layer of layers) {
        const before = pick(layer);
        if (before !== undefined) return before;
      }
      return now;
    };
    return {
      account: (id) => find((undo) => undo.accounts.get(id), this.account(id)),
      claimableBalance: (id) => find((undo) => undo.claimableBalances.get(id), this.claimableBalance(id)),
      accountIds: () =>
        new Set(
          [this.accountIds(), ...layers.map((undo) => undo.accounts.keys())].flatMap((ids) => [...ids]),
        ),
      claimableBalanceIds: () =>
        new Set(
          [this.claimableBalanceIds(), ...layers.map((undo) => undo.claimableBalances.keys())].flatMap(
            (ids) => [...ids],
          ),
        ),
    };
  }
}
