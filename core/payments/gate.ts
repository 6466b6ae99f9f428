import type { DatabaseTransaction } from '../database/database.ts';
import type { LockedTransfer } from '../database/repositories/lock-queued.ts';
import { frozenAccounts, hasForeignPayments, suspectTransfers } from '../database/repositories/journal.ts';
import { shareMark, shareMoney } from '../database/repositories/money-locks.ts';
import type { Transfer } from '../database/repositories/transfers.ts';
import type { PaymentContext } from './context.ts';
import { openAllowance } from './limits.ts';
import { stoppedMoney } from './suspension.ts';

/** What still lets payments through at the moment when they are journalled. */
export interface Gate {
  /** All money is stopped, the account frozen, or this process to journal nothing more. */
  isShut(): boolean;
  /** False for all when the gate is shut; takes a payout off its asset's limits. */
  allows(locked: LockedTransfer): boolean;
  /** To be called when the database transaction is committed: suspends what has reached a limit. */
  close(): Promise<void>;
}

/**
 * Asks again what a round asked before its look-ups, which take seconds: suspensions, the freeze, suspects (design 6.8), and for the
 * first time the limits (6.9). Whoever stops money waits for this database transaction or is heard by it; of two watchers
 * at the limits of one asset the second counts what the first has journalled. To be called before any row is locked.
 *
 * @param planned what the round would pay
 */
export async function openGate(
  context: PaymentContext,
  trx: DatabaseTransaction,
  distribution: string,
  planned: readonly Transfer[],
): Promise<Gate> {
  await shareMoney(trx);
  const allowance = await openAllowance(context, trx, planned);
  await shareMark(trx, distribution);
  const stopped = await stoppedMoney({ ...context, database: trx });
  const isStopped = stopped.isAll || (await frozenAccounts(trx)).has(distribution);
  const suspects = await suspectsOf(trx, distribution, planned);
  const assets = new Set(stopped.assets);
  const isShut = (): boolean => isStopped || context.ending?.aborted === true;
  return {
    isShut,
    allows: (locked) =>
      !isShut() &&
      !suspects.has(locked.transfer.id) &&
      !assets.has(assetOf(locked)) &&
      allowance.allows(locked.transfer),
    close: () => allowance.close(),
  };
}

/** The creation of an account is paid in XLM, for the sake of its transaction's asset. */
function assetOf({ transfer, transaction }: LockedTransfer): string {
  return transfer.purpose === 'accountCreation' && transaction ? transaction.assetId : transfer.assetId;
}

/** The next round sets them aside, with a word to a person. */
async function suspectsOf(
  trx: DatabaseTransaction,
  account: string,
  planned: readonly Transfer[],
): Promise<ReadonlySet<string>> {
  if (!(await hasForeignPayments(trx, account))) return new Set();
  const ids = planned.map(({ id }) => id);
  return new Set((await suspectTransfers(trx, account, ids)).map(({ transferId }) => transferId));
}
