import type { DatabaseTransaction } from '../database/database.ts';
import {
  dueClaimableBalances,
  insertClaimableBalance,
  moveClaimableBalance,
  noteMissing,
  type ClaimableBalanceRow,
} from '../database/repositories/claimable-balances.ts';
import { changeTransaction, findTransaction } from '../database/repositories/transactions.ts';
import { queueTransfer, type Transfer } from '../database/repositories/transfers.ts';
import { formatAmount } from '../transaction/amount.ts';
import type { LedgerContext } from './context.ts';

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
  await queueTransfer(trx, {
    key: `reclaim:${balance.id}`,
    transactionId: balance.transactionId,
    purpose: 'reclaim',
    assetId: balance.assetId,
    source: balance.account,
    destination: balance.account,
    memoType: null,
    memo: null,
    amount: balance.amount,
    operation: 'claimClaimableBalance',
    claimableBalanceId: balance.id,
  });
}

async function writeOff(
  { log }: LedgerContext,
  trx: DatabaseTransaction,
  { id, transactionId }: ClaimableBalanceRow,
): Promise<void> {
  if (await moveClaimableBalance(trx, id, { from: 'open', to: 'gone' }))
    log.debug({ transaction_id: transactionId, claimable_balance: id }, 'a claimable balance was claimed');
}

/**
 * What follows when the ledger has given a balance back to us: the payout stays proven, but its customer does not have the
 * money, so a person has to decide.
 */
export async function afterReclaim(
  { actor }: Pick<LedgerContext, 'actor'>,
  trx: DatabaseTransaction,
  transfer: Transfer,
  ledgerHash: string,
): Promise<void> {
  const { claimableBalanceId, transactionId } = transfer;
  if (claimableBalanceId === null || transactionId === null) return;
  if (!(await moveClaimableBalance(trx, claimableBalanceId, { from: 'reclaiming', to: 'reclaimed' }))) return;
  const transaction = await findTransaction(trx, transactionId);
  if (!transaction) return;
  const reason = `nobody claimed the ${formatAmount(transfer.amount)} in time; they are back in the hot wallet. Return the customer's money at the bank`;
  await changeTransaction(trx, transaction, {
    patch: { attention: reason },
    actor,
    reason,
    detail: { hash: ledgerHash, claimableBalance: claimableBalanceId },
  });
}

/** What follows when the ledger has no such balance any more: the customer was quicker. */
export async function afterLostReclaim(trx: DatabaseTransaction, transfer: Transfer): Promise<void> {
  if (transfer.claimableBalanceId !== null)
    await moveClaimableBalance(trx, transfer.claimableBalanceId, { from: 'reclaiming', to: 'gone' });
}
