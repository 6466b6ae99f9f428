import type { DatabaseTransaction } from '../database/database.ts';
import {
  dueClaimableBalances,
  insertClaimableBalance,
  moveClaimableBalance,
  noteMissing,
  type ClaimableBalanceRow,
} from '../database/repositories/claimable-balances.ts';
import type { Transfer } from '../database/repositories/transfers.ts';
import type { LedgerContext } from './context.ts';
import { queueReclaim, settleForeignClaim, tellTakenBack } from './taken-back.ts';

const BATCH = 100;

/** Writes down where a payout lies until it is claimed. */
export async function rememberBalance(
  trx: DatabaseTransaction,
  { transactionId, source, assetId, amount }: Transfer,
  id: string,
  reclaimAt: bigint,
): Promise<void> {
  if (transactionId === null) return;
  const reclaimDate = new Date(Number(reclaimAt) * 1000);
  await insertClaimableBalance(trx, {
    id,
    transactionId,
    account: source,
    assetId,
    amount,
    reclaimAt: reclaimDate,
  });
}

/**
 * Takes back what customers have not claimed in time: each balance that still lies on the ledger gets a transfer to the
 * distribution account. One that a Horizon does not know is written off as claimed only when it is not known ten minutes
 * later either, by a Horizon whose ledger is past the time of its reclaim: a single 404 proves nothing. Answers how many
 * were looked at. Safe with any number of processes: states move by compare-and-set.
 */
export async function reclaimDue(context: LedgerContext): Promise<number> {
  const { database, horizon, log } = context;
  const { closedAtMs } = await horizon.latestLedger();
  const due = await dueClaimableBalances(database, new Date(closedAtMs), BATCH);
  for (const balance of due) {
    try {
      const { balance: lying, url } = await horizon.claimableBalance(balance.id);
      if (lying) await database.transaction().execute((trx) => takeBack(trx, balance));
      else if ((await horizon.latestLedger({ pin: url })).closedAtMs < balance.reclaimAt.getTime()) continue;
      else if (balance.missingAt === null) await noteMissing(database, balance.id);
      else await database.transaction().execute((trx) => writeOff(context, trx, balance));
    } catch (error) {
      log.warn(
        { err: error, claimable_balance: balance.id },
        'an unclaimed balance could not be looked up yet',
      );
    }
  }
  return due.length;
}

async function takeBack(trx: DatabaseTransaction, balance: ClaimableBalanceRow): Promise<void> {
  if (!(await moveClaimableBalance(trx, balance.id, { from: 'open', to: 'reclaiming' }))) return;
  await queueReclaim(trx, balance);
}

async function writeOff(
  context: LedgerContext,
  trx: DatabaseTransaction,
  { id, transactionId }: ClaimableBalanceRow,
): Promise<void> {
  // It may have come back to us by what a restored backup knows nothing of.
  if (await settleForeignClaim(context, trx, id)) return;
  if (await moveClaimableBalance(trx, id, { from: 'open', to: 'gone' }))
    context.log.debug(
      { transaction_id: transactionId, claimable_balance: id },
      'a claimable balance was claimed',
    );
}

/** What follows when the ledger has given a balance back to us. */
export async function afterReclaim(
  context: Pick<LedgerContext, 'actor'>,
  trx: DatabaseTransaction,
  { claimableBalanceId: balanceId, transactionId, amount }: Transfer,
  hash: string,
): Promise<void> {
  if (balanceId === null || transactionId === null) return;
  if (await moveClaimableBalance(trx, balanceId, { from: 'reclaiming', to: 'reclaimed' }))
    await tellTakenBack(context, trx, { balanceId, transactionId, amount, hash });
}

/**
 * What follows when a way back that we sent was provably not paid: it is over if the balance came back past the journal.
 *
 * @param isGone the ledger has no such balance any more; if it is not back, its customer was quicker
 */
export async function afterUnpaidReclaim(
  context: Pick<LedgerContext, 'actor'>,
  trx: DatabaseTransaction,
  { claimableBalanceId: balanceId }: Transfer,
  isGone: boolean,
): Promise<void> {
  if (balanceId === null || (await settleForeignClaim(context, trx, balanceId))) return;
  if (isGone) await moveClaimableBalance(trx, balanceId, { from: 'reclaiming', to: 'gone' });
}
