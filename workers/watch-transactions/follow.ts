import { moveCursor } from '../../core/database/repositories/receipts.ts';
import { payoutHashes } from '../../core/database/repositories/submissions.ts';
import type { LedgerTransaction } from '../../core/ledger/types.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { settleSeen } from '../../core/payments/settle.ts';
import { endOf } from '../../core/payments/skipped.ts';
import { inBatches } from './batches.ts';

/** A ledger's transactions come in one burst. */
const BURST = { most: 200, lingerMs: 20 } as const;
/** How often pages are read again that do not show yet what the stream told of, and for how long. */
const AGAIN_MS = 1_000;
const AGAIN_TIMES = 60;

/** Where reading by pages has ended. */
export interface CaughtUp {
  /** A paging token: everything up to it is recorded. */
  readonly position: string;
  /** The ledger of the newest payment that the pages held; 0 when they held none. */
  readonly shown: number;
}

export interface Following {
  readonly account: string;
  /** A paging token: everything up to it is recorded. */
  readonly from: string;
  readonly signal: AbortSignal;
  /** Records what the pages show behind the cursor. */
  readonly readOn: () => Promise<CaughtUp>;
}

/**
 * Follows an account's transactions until the signal ends it. Our own payouts are settled as they come, and the cursor passes
 * them; anybody else's transaction is a hint to read on by pages, which name every payment with its memo. A batch of a hundred
 * payouts is one record that way, not a hundred.
 *
 * The stream and the pages may come from Horizons of which one lags: until the pages have shown something as new as the
 * last foreign transaction, the cursor passes nothing (design 6.4), and they are read again.
 */
export async function follow(
  context: LedgerContext,
  following: Following,
  report: (position: string) => void,
): Promise<void> {
  const ending = new AbortController();
  const signal = AbortSignal.any([following.signal, ending.signal]);
  const { account, from } = following;
  const stream = context.horizon.streamTransactions(account, { cursor: from, signal });
  const batches = inBatches(stream, { ...BURST, clock: context.clock });
  const pages = createPages(following);
  const read = (): Promise<IteratorResult<readonly LedgerTransaction[], void>> => {
    const next = batches.next();
    // It is waited for in a moment, perhaps after the pages.
    next.catch(() => undefined);
    return next;
  };
  try {
    let next = read();
    for (;;) {
      const isDue = pages.isBehind()
        ? await Promise.race([next.then(() => false), context.clock.sleep(AGAIN_MS, signal).then(() => true)])
        : false;
      if (isDue && !signal.aborted) {
        report(await pages.again());
        continue;
      }
      const { done, value } = await next;
      if (done === true || value === undefined) return;
      await take(context, account, pages, value, report);
      next = read();
    }
  } finally {
    ending.abort();
  }
}

async function take(
  context: LedgerContext,
  account: string,
  pages: Pages,
  batch: readonly LedgerTransaction[],
  report: (position: string) => void,
): Promise<void> {
  for (const { isOurs, transactions } of await runsOf(context, account, batch)) {
    if (isOurs) await settleSeen(context, transactions);
    const canPass = isOurs && (await pages.isCertain());
    report(canPass ? await pass(context, account, transactions) : await pages.show(transactions));
  }
}

interface Pages {
  /** Whether they are to be read again soon. */
  isBehind(): boolean;
  again(): Promise<string>;
  /** Reads them after these transactions; answers how far they are recorded. */
  show(transactions: readonly LedgerTransaction[]): Promise<string>;
  /** Whether they have shown all that the stream told of so far, if need be after another look. */
  isCertain(): Promise<boolean>;
}

/** What the pages have shown, against what the stream has told of. */
function createPages({ readOn }: Pick<Following, 'readOn'>): Pages {
  let told = 0;
  let shown = 0;
  let left = 0;
  const again = async (): Promise<string> => {
    left -= 1;
    const found = await readOn();
    // A Horizon has a ledger whole or not at all: one payment of it, or of a later one, shows that all before it are there.
    shown = Math.max(shown, found.shown);
    return found.position;
  };
  return {
    isBehind: () => shown < told && left > 0,
    again,
    show: async (transactions) => {
      told = Math.max(told, ...transactions.map(({ ledger }) => ledger));
      left = AGAIN_TIMES;
      return again();
    },
    isCertain: async () => {
      if (shown < told) await again();
      return shown >= told;
    },
  };
}

/** Transactions in a row that are all ours, or all not. */
interface Run {
  readonly isOurs: boolean;
  readonly transactions: LedgerTransaction[];
}

async function runsOf(
  { database }: LedgerContext,
  account: string,
  batch: readonly LedgerTransaction[],
): Promise<readonly Run[]> {
  const hashes = batch.flatMap(({ hash, innerHash }) =>
    innerHash === undefined ? [hash] : [hash, innerHash],
  );
  const own = await payoutHashes(database, account, hashes);
  const runs: Run[] = [];
  for (const transaction of batch) {
    const isOurs = own.has(transaction.hash) || own.has(transaction.innerHash ?? '');
    // What a stranger failed to do moved nothing.
    if (!isOurs && !transaction.successful) continue;
    const last = runs.at(-1);
    if (last?.isOurs === isOurs) last.transactions.push(transaction);
    else runs.push({ isOurs, transactions: [transaction] });
  }
  return runs;
}

/** Our payouts bring the account nothing: the cursor passes all of their operations. */
async function pass(
  context: LedgerContext,
  account: string,
  transactions: readonly LedgerTransaction[],
): Promise<string> {
  const position = String(transactions.reduce((_, one) => endOf(one), 0n));
  const ledger = transactions.at(-1)?.ledger ?? 0;
  const { passphrase: networkPassphrase } = context.anchor.network;
  await context.database
    .transaction()
    .execute((trx) => moveCursor(trx, { account, networkPassphrase, position, ledger }));
  return position;
}
