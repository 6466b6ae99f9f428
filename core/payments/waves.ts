import type { DatabaseTransaction } from '../database/database.ts';
import {
  changeTransactions,
  ConcurrentChange,
  lockTransactions,
  type Change,
} from '../database/repositories/transactions.ts';
import type { Transfer } from '../database/repositories/transfers.ts';
import type { Transaction } from '../transaction/transaction.ts';

/**
 * Changes the transactions of many transfers, locked first so that none of the changes can lose a race, in a number of
 * statements that does not grow with them. Two transfers of one transaction follow each other: the second is decided on what the first
 * has made of it. A transfer without a transaction (the money back of a receipt) is left out.
 *
 * @param locked the transactions, where they are locked already
 * @param decide what an item's transfer does to its transaction, or undefined for nothing
 * @param after what else follows, for the items of one wave, with their transactions as they are then
 */
export async function changeByTransfers<T extends { readonly transfer: Transfer }>(
  trx: DatabaseTransaction,
  items: readonly T[],
  decide: (item: T, transaction: Transaction) => Change | undefined,
  after: (
    changed: readonly { readonly item: T; readonly transaction: Transaction }[],
  ) => Promise<void> = async () => {},
  locked?: ReadonlyMap<string, Transaction>,
): Promise<void> {
  const ids = items.flatMap(({ transfer }) => transfer.transactionId ?? []);
  const known = new Map(locked ?? (await lockTransactions(trx, ids)));
  for (const wave of wavesOf(items)) {
    const intended = wave.flatMap((item) => {
      const current = known.get(item.transfer.transactionId ?? '');
      const change = current && decide(item, current);
      return change ? [{ item, current, change }] : [];
    });
    const changed = await changeTransactions(trx, intended);
    const lost = intended.find(({ current }, index) => changed[index]?.id !== current.id);
    if (lost) throw new ConcurrentChange(lost.current.id);
    for (const transaction of changed) known.set(transaction.id, transaction);
    await after(
      intended.flatMap(({ item }, index) => {
        const transaction = changed[index];
        return transaction ? [{ item, transaction }] : [];
      }),
    );
    // What followed may have changed them again.
    if (items.length > wave.length)
      for (const [id, row] of await lockTransactions(trx, ids)) known.set(id, row);
  }
}

/** The items in order, in groups of which each names a transaction once. */
function wavesOf<T extends { readonly transfer: Transfer }>(items: readonly T[]): readonly (readonly T[])[] {
  const waves: T[][] = [];
  const depth = new Map<string, number>();
  for (const item of items) {
    const id = item.transfer.transactionId;
    if (id === null) continue;
    const index = depth.get(id) ?? 0;
    depth.set(id, index + 1);
    const wave = waves[index];
    if (wave) wave.push(item);
    else waves.push([item]);
  }
  return waves;
}
