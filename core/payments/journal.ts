import {
  freezeAccount,
  insertForeign,
  journalledHashes,
  journalMarks,
  markAccounts,
  markedChannels,
  moveMark,
  noteSeenSequence,
  vanishedChannels,
  type Freeze,
  type JournalMark,
} from '../database/repositories/journal.ts';
import type { DatabaseTransaction } from '../database/database.ts';
import { lockMark } from '../database/repositories/money-locks.ts';
import { lastSubmissions } from '../database/repositories/submissions.ts';
import { cursorBehind } from '../ledger/continuity.ts';
import { HistoryGone } from '../ledger/errors.ts';
import type { LedgerAccount, LedgerTransaction } from '../ledger/types.ts';
import type { LedgerContext } from './context.ts';
import { baselineOf, openMark } from './first-start.ts';
import { foreignPaymentsOf, foreignRow } from './foreign-rows.ts';
import { isOutgoing } from './foreign-operations.ts';
import { bringBack } from './taken-back.ts';

const PAGE = 200;
/** Before every paging token. */
const NOWHERE = -1n;

/**
 * Compares what the ledger shows of a hot wallet with the journal, before anything is paid from it: a sequence number that
 * the journal does not account for was spent by somebody else (a restored backup, a second installation, a stolen seed).
 * Freezes the account then. Answers whether it is so, frozen before or now.
 *
 * @param accounts the distribution account and its channels, as read *before* `last` was
 * @param last what {@link lastSubmissions} says of them
 */
export async function freezeIfAhead(
  context: LedgerContext,
  distribution: string,
  accounts: readonly LedgerAccount[],
  last: ReadonlyMap<string, { readonly sequence: bigint }>,
): Promise<boolean> {
  const { database } = context;
  await openMark(context, distribution, true);
  const marks = await journalMarks(
    database,
    accounts.map(({ id }) => id),
  );
  const fresh = accounts.filter(({ id }) => id !== distribution && !marks.has(id));
  if (fresh.length > 0) {
    // Before they are marked, so that it is done again where it fails.
    await inspect(context, distribution, distribution);
    await markChannels(context, distribution, fresh);
  }
  const ahead = accounts.filter(({ id, sequence }) => {
    const mark = marks.get(id);
    const inJournal = last.get(id)?.sequence ?? 0n;
    return mark !== undefined && sequence > inJournal && sequence > mark.sequence;
  });
  // What was journalled since `last` was read accounts for what the ledger may show since.
  const newer = await lastSubmissions(
    database,
    ahead.map(({ id }) => id),
  );
  const unknown = ahead.filter(({ id, sequence }) => sequence > (newer.get(id)?.sequence ?? 0n));
  if (unknown.length === 0) return false;
  for (const { id, sequence } of ahead) await noteSeenSequence(database, id, sequence);
  const isAhead = await freezeWhileAhead(context, distribution, unknown);
  for (const { id } of ahead) await inspect(context, distribution, id);
  return isAhead;
}

/** An adoption may have accounted for the sequence numbers since they were compared: what it has done is not undone. */
async function freezeWhileAhead(
  context: LedgerContext,
  distribution: string,
  accounts: readonly LedgerAccount[],
): Promise<boolean> {
  const { database, actor } = context;
  const ids = accounts.map(({ id }) => id);
  const { isAhead, frozen } = await database.transaction().execute(async (trx) => {
    await lockMark(trx, distribution);
    const marks = await journalMarks(trx, ids);
    const first = accounts.find(({ id, sequence }) => sequence > (marks.get(id)?.sequence ?? 0n));
    if (!first) return { isAhead: false };
    const reason = `the sequence number of ${first.id} is ${first.sequence} on the ledger, which is ahead of the journal`;
    const wanted = { account: distribution, kind: 'sequence_ahead', reason } as const;
    const isNew = await freezeAccount(trx, wanted, actor);
    return { isAhead: true, ...(isNew && { frozen: wanted }) };
  });
  if (frozen) tellFrozen(context, frozen);
  return isAhead;
}

/**
 * A channel that was never seen before. Whoever made it, and whatever it did until then, its own money cannot have been
 * ours. Its sequence number says nothing of payments over it until then: they are in the history of the distribution
 * account, which has to be read before.
 */
async function markChannels(
  context: LedgerContext,
  distribution: string,
  channels: readonly LedgerAccount[],
): Promise<void> {
  const { sequence } = await context.horizon.latestLedger();
  const marks = channels.map(async (channel) => ({
    account: channel.id,
    distribution,
    startLedger: sequence,
    sequence: await baselineOf(context, channel),
    position: cursorBehind(sequence),
  }));
  await markAccounts(context.database, await Promise.all(marks));
}

/**
 * Reads on in the history of a distribution account and looks each transaction up in the journal; what somebody else sent
 * is recorded and freezes the account, in the database transaction that moves the mark. Answers up to which paging token
 * all is checked; undefined as long as the account is not set up.
 *
 * @throws {NetworkChanged}
 */
export async function inspectJournal(
  context: LedgerContext,
  distribution: string,
): Promise<string | undefined> {
  if (!(await openMark(context, distribution))) return undefined;
  return inspect(context, distribution, distribution);
}

/**
 * Reads the histories of channels that are gone from the ledger without a submission of ours: only our key can have merged
 * them away, and such a transaction need not touch the distribution account.
 *
 * @param present the channels that there are
 */
export async function inspectVanished(
  context: LedgerContext,
  distribution: string,
  present: readonly Pick<LedgerAccount, 'id'>[],
): Promise<void> {
  const ids = present.map(({ id }) => id);
  for (const channel of await vanishedChannels(context.database, distribution, ids))
    await inspect(context, distribution, channel);
}

async function inspect(
  context: LedgerContext,
  distribution: string,
  account: string,
): Promise<string | undefined> {
  const { horizon } = context;
  let position = await positionOf(context, account);
  while (position) {
    const page = await horizon
      .transactionsOf(account, { cursor: position, limit: PAGE, includeFailed: true })
      .catch((error: unknown) => tellGone(context, distribution, error));
    if (page === undefined) return undefined;
    const last = page.at(-1);
    if (!last) break;
    const isTaken = await takeIn(
      context,
      { distribution, account, from: position, to: last.pagingToken },
      page,
    );
    position = isTaken ? last.pagingToken : await positionOf(context, account);
    if (isTaken && page.length < PAGE) break;
  }
  return position || undefined;
}

/** Undefined where there is no mark; empty where checking begins anew. */
async function positionOf({ database }: LedgerContext, account: string): Promise<string | undefined> {
  return (await journalMarks(database, [account])).get(account)?.position;
}

/** Where history is gone the journal cannot be checked, so that a person has to: design 6.8 freezes rather than guesses. */
async function tellGone(context: LedgerContext, account: string, error: unknown): Promise<undefined> {
  if (!(error instanceof HistoryGone)) throw error;
  await freeze(context, { account, kind: 'history_gone', reason: error.message });
}

/** Those that act for us without being in the journal; the journal has what it has by inner or outer hash. */
async function foreignIn(
  trx: DatabaseTransaction,
  page: readonly LedgerTransaction[],
  marks: ReadonlyMap<string, JournalMark>,
): Promise<readonly LedgerTransaction[]> {
  const known = await journalledHashes(trx, page.flatMap(hashesOf));
  const ours = new Set(marks.keys());
  return page.filter((transaction) => {
    if (hashesOf(transaction).some((hash) => known.has(hash))) return false;
    const mark = marks.get(transaction.sourceAccount);
    // Not what an adoption accounts for: what it knew of is recorded, and what comes only now may have paid somebody.
    const isBefore = mark && transaction.sequence <= (mark.firstSequence ?? mark.sequence);
    if (!isBefore) return isOutgoing(transaction, ours);
    // What an account did with its own before it was marked is taken as it is, but not what was paid over it.
    return isOutgoing(transaction, new Set([...ours].filter((id) => id !== transaction.sourceAccount)));
  });
}

const hashesOf = ({ hash, innerHash }: LedgerTransaction): string[] =>
  innerHash === undefined ? [hash] : [hash, innerHash];

interface Page {
  readonly distribution: string;
  /** Whose history it is. */
  readonly account: string;
  /** Paging tokens: it begins behind the one and ends with the other. */
  readonly from: string;
  readonly to: string;
}

/**
 * Compares a page with the journal and moves the mark. All that it is compared with is read here: the database may have been replaced
 * by an older copy while the ledger was asked, which has neither seen what lies before the page nor journalled all that is in it.
 * False then, with nothing done: its own mark is to be read.
 */
async function takeIn(
  context: LedgerContext,
  { distribution, account, from, to }: Page,
  page: readonly LedgerTransaction[],
): Promise<boolean> {
  const { database, actor } = context;
  const taken = await database.transaction().execute(async (trx) => {
    const channels = await markedChannels(trx, distribution);
    const marks = await journalMarks(trx, [...new Set([distribution, ...channels])]);
    if (BigInt(marks.get(account)?.position || NOWHERE) < BigInt(from)) return undefined;
    const foreign = await foreignIn(trx, page, marks);
    let frozen: Freeze | undefined;
    for (const transaction of foreign) {
      const row = foreignRow(transaction, distribution);
      if (!(await insertForeign(trx, row, foreignPaymentsOf(row)))) continue;
      const reason = `transaction ${transaction.hash} in ledger ${transaction.ledger} is not in the journal`;
      const wanted = { account: distribution, kind: 'foreign_transaction', reason } as const;
      if (await freezeAccount(trx, wanted, actor)) frozen = wanted;
      // No word of a person is needed for what only the ledger can say: it is back.
      for (const { type, source, balanceId } of row.successful ? row.operations : [])
        if (type === 'claimClaimableBalance' && balanceId !== undefined)
          await bringBack(context, trx, balanceId, { ...row, source });
    }
    await moveMark(trx, account, to);
    return { foreign, frozen };
  });
  if (!taken) return false;
  for (const { hash, ledger } of taken.foreign)
    context.log.warn({ account: distribution, hash, ledger }, 'a transaction of ours is not in the journal');
  if (taken.frozen) tellFrozen(context, taken.frozen);
  return true;
}

async function freeze(context: LedgerContext, wanted: Freeze): Promise<void> {
  const { database, actor } = context;
  const isNew = await database.transaction().execute((trx) => freezeAccount(trx, wanted, actor));
  if (isNew) tellFrozen(context, wanted);
}

function tellFrozen({ log }: LedgerContext, { account, kind, reason }: Freeze): void {
  log.error(
    { account, kind, reason },
    'payouts of this account are frozen, because its journal is not complete: see "capstan reconcile show", then "capstan reconcile adopt"',
  );
}
