import { byId, isTouchedByLoss, type Books } from './books.ts';

/** What the row of a deposit says whose balance nobody claimed. */
const GIVEN_BACK = 'nobody claimed';

/**
 * Once everything is quiet nothing lies there any more: customers have claimed it, or it is back in the hot wallet, once, and the
 * deposit says so. A customer who came too late for a claim finds it gone like one who never came.
 */
export function claimablesSettled(books: Books): readonly string[] {
  const { ledger, database, wallets } = books;
  const rows = byId(database.transactions);
  const deposits = new Map(wallets.deposits.map((deposit) => [deposit.account, deposit]));
  const lying = ledger.lying.flatMap(({ id, claimant, amount }) => {
    const deposit = deposits.get(claimant);
    const isLost = deposit !== undefined && isTouchedByLoss(books, rows.get(deposit.id));
    return isLost ? [] : [`${amount} lie on the ledger for ${claimant} (${id})`];
  });
  const settledBy = new Map<string, number>();
  for (const { purpose, state, transactionId } of database.transfers)
    if (purpose === 'reclaim' && state === 'settled' && transactionId !== undefined)
      settledBy.set(transactionId, (settledBy.get(transactionId) ?? 0) + 1);
  const back = [...settledBy].flatMap(([id, times]) => {
    const row = rows.get(id);
    if (times > 1) return [`what was laid for deposit ${id} came back ${times} times`];
    const isTold = row?.attention?.includes(GIVEN_BACK) === true;
    return isTold ? [] : [`what was laid for deposit ${id} came back, and it says nothing of it`];
  });
  const takenBack = ledger.payments.filter(({ movement }) => movement === 'takenBack');
  const known = [...settledBy.values()].reduce((total, times) => total + times, 0);
  const unknown =
    takenBack.length === known || books.lost.length > 0
      ? []
      : [`the hot wallets took ${takenBack.length} balances back, ${known} are known of`];
  // A restored dump may have taken a deposit away. One that is there, with its money, has to know.
  const forgotten = takenBack.flatMap(({ from }) => {
    const id = deposits.get(from)?.id;
    if (id === undefined || rows.get(id)?.isFunded !== true || settledBy.has(id)) return [];
    return [`what was laid for deposit ${id} is back in the hot wallet, and it knows nothing of it`];
  });
  const unclaimed = wallets.deposits.flatMap(({ id, account, claim }) => {
    const row = rows.get(id);
    const wasLaid = ledger.payments.some(({ movement, to }) => movement === 'laid' && to === account);
    if (claim !== 'reclaimed' || !wasLaid || isTouchedByLoss(books, row)) return [];
    return settledBy.has(id) ? [] : [`what was laid for deposit ${id} was never claimed, and is not back`];
  });
  return [...lying, ...back, ...unknown, ...forgotten, ...unclaimed];
}
