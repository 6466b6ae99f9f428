import type { FeeStats, LedgerAccount } from '../ledger/types.ts';
import type { LedgerContext } from './context.ts';

/** How long what the ledger said of a destination or of fees is believed: about two ledgers. The ledger itself has the last word. */
const BELIEVED_MS = 10_000;
/** Look-ups under way at a time; the request budget of the client paces them besides. */
const AT_ONCE = 16;
/** Kept at most: a few rounds' worth. */
const MOST = 5_000;

/** Looks destinations up, each once while it is believed, however many transfers go there. */
export interface Lookups {
  /** Undefined for an account that does not exist. @throws {LedgerUnavailable} */
  account(address: string): Promise<LedgerAccount | undefined>;
  /** Whether it is known without asking. */
  has(address: string): boolean;
  /** The next one who wants it asks the ledger: what stands against a payment is only believed when it was just looked up. */
  forget(address: string): void;
  /** The accounts that a key can sign for, as the last one who asked afresh was told, a ledger or two old; else asked now. */
  accountsWithSigner(key: string, isFresh?: boolean): Promise<readonly LedgerAccount[]>;
  /** The going fees, about two ledgers old at most. */
  feeStats(): Promise<FeeStats>;
}

/** In memory, for one process; whoever pays in a loop keeps it, so that destinations are known before a channel is free. */
export function createLookups({ horizon, clock }: Pick<LedgerContext, 'horizon' | 'clock'>): Lookups {
  const known = new Map<
    string,
    { readonly askedAtMs: number; readonly answer: Promise<LedgerAccount | undefined> }
  >();
  let fees: { readonly askedAtMs: number; readonly stats: FeeStats } | undefined;
  const waiting: (() => void)[] = [];
  let running = 0;
  const isBelieved = (address: string): boolean => {
    const found = known.get(address);
    return found !== undefined && clock.monotonic() - found.askedAtMs < BELIEVED_MS;
  };
  const ask = async (address: string): Promise<LedgerAccount | undefined> => {
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return (await horizon.account(address)).account;
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
  const remember = (address: string): Promise<LedgerAccount | undefined> => {
    const answer = ask(address);
    known.delete(address);
    known.set(address, { askedAtMs: clock.monotonic(), answer });
    // What could not be looked up is asked anew by the next one who wants it.
    answer.catch(() => known.delete(address));
    const [oldest] = known.keys();
    if (known.size > MOST && oldest !== undefined) known.delete(oldest);
    return answer;
  };
  const signedBy = new Map<
    string,
    { readonly askedAtMs: number; readonly accounts: readonly LedgerAccount[] }
  >();
  return {
    accountsWithSigner: async (key, isFresh = false) => {
      const found = signedBy.get(key);
      if (found && !isFresh && clock.monotonic() - found.askedAtMs < BELIEVED_MS) return found.accounts;
      const askedAtMs = clock.monotonic();
      const accounts = await horizon.accountsWithSigner(key);
      signedBy.set(key, { askedAtMs, accounts });
      return accounts;
    },
    feeStats: async () => {
      if (fees && clock.monotonic() - fees.askedAtMs < BELIEVED_MS) return fees.stats;
      fees = { askedAtMs: clock.monotonic(), stats: await horizon.feeStats() };
      return fees.stats;
    },
    has: isBelieved,
    forget: (address) => void known.delete(address),
    account: (address) => {
      const found = known.get(address);
      return found && isBelieved(address) ? found.answer : remember(address);
    },
  };
}
