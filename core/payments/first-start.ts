import {
  journalMarks,
  markAccounts,
  moveMark,
  newestSettledLedger,
  type JournalMark,
} from '../database/repositories/journal.ts';
import { firstCustomerAt } from '../database/repositories/journal-figures.ts';
import { findCursor } from '../database/repositories/receipts.ts';
import { lastSubmissions } from '../database/repositories/submissions.ts';
import { balanceOf } from '../ledger/accounts.ts';
import { cursorBehind, ledgerOfCursor } from '../ledger/continuity.ts';
import { ledgerBefore } from '../ledger/ledger-before.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import type { LedgerContext } from './context.ts';

/**
 * Where the journal of a distribution account begins. Before an anchor's first start its accounts are set up by hand and by
 * `capstan accounts`, none of which is in the journal: what the account has done until then is taken as it is. That is the
 * moment when the account exists with all its trustlines; undefined before.
 *
 * @param isInUse it is about to pay: its journal begins now at the latest
 */
export async function openMark(
  context: LedgerContext,
  distribution: string,
  isInUse = false,
): Promise<JournalMark | undefined> {
  const { database, horizon, anchor } = context;
  const known = (await journalMarks(database, [distribution])).get(distribution);
  if (known && known.position !== '') return known;
  const { account, latestLedger } = await horizon.account(distribution);
  // The ledger of this very answer: its sequence number and its history then belong together.
  const now = cursorBehind(latestLedger || (await horizon.latestLedger()).sequence);
  if (known) {
    await moveMark(database, distribution, now);
    return { ...known, position: now };
  }
  const assetIds = anchor.assets
    .filter(({ distributionAccount }) => distributionAccount === distribution)
    .map(({ id }) => id);
  const settled = await newestSettledLedger(database, distribution, assetIds);
  const hasBegun = isInUse || settled !== undefined;
  if (!account || !(hasBegun || holdsAll(account, assetIds))) return undefined;
  const startLedger = settled === undefined ? await endOfHistory(context, distribution, now) : 0;
  await markAccounts(database, [
    {
      account: distribution,
      distribution,
      startLedger,
      sequence: await baselineOf(context, account),
      position: settled === undefined ? now : cursorBehind(settled),
    },
  ]);
  return (await journalMarks(database, [distribution])).get(distribution);
}

/** The last ledger from before anybody can have been told to pay this anchor. */
async function endOfHistory(
  { database, horizon }: LedgerContext,
  account: string,
  now: string,
): Promise<number> {
  // An anchor of a release that knew no marks: its history is its own.
  if (await findCursor(database, account)) return 0;
  const newest = ledgerOfCursor(now);
  const firstCustomer = await firstCustomerAt(database);
  if (!firstCustomer) return newest;
  const close = await horizon.ledger(newest);
  if (!close) return 0;
  // Closes are in whole seconds of the network's own clock.
  return (await ledgerBefore(horizon, firstCustomer.getTime() - 60_000, close))?.sequence ?? 0;
}

const holdsAll = (account: LedgerAccount, assetIds: readonly string[]): boolean =>
  assetIds.every((id) => balanceOf(account, id) !== undefined);

/** What the journal holds of an account's sequence numbers speaks for itself; where it holds none, all so far are taken as they are. */
export async function baselineOf({ database }: LedgerContext, account: LedgerAccount): Promise<bigint> {
  const last = await lastSubmissions(database, [account.id]);
  return last.has(account.id) ? 0n : account.sequence;
}
