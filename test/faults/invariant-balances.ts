import type { Books, HotWallet } from './books.ts';

const sum = (rows: readonly { readonly amount: bigint }[]): bigint =>
  rows.reduce((total, { amount }) => total + amount, 0n);

/** Each hot wallet holds what came in less what went out, by the ledger's payments and by our rows. */
export function balances(books: Books): readonly string[] {
  return books.anchor.assets.flatMap((wallet) => [...byLedger(books, wallet), ...byRows(books, wallet)]);
}

function byLedger({ ledger }: Books, { account, assetId, balance, feesPaid }: HotWallet): readonly string[] {
  const ours = ledger.payments.filter((one) => one.assetId === assetId && one.from !== one.to);
  const came = sum(ours.filter(({ to }) => to === account));
  const left = sum(ours.filter(({ from }) => from === account));
  const wanted = came - left - feesPaid;
  return wanted === balance
    ? []
    : [`${assetId}: the ledger's payments make ${wanted}, ${account} holds ${balance}`];
}

function byRows(books: Books, { account, assetId, balance, feesPaid }: HotWallet): readonly string[] {
  const { database } = books;
  const received = database.receipts.filter((one) => one.assetId === assetId && one.account === account);
  const settled = database.transfers.filter(
    (one) => one.state === 'settled' && one.assetId === assetId && one.source === account,
  );
  const back = settled.filter(({ purpose }) => purpose === 'reclaim');
  const paid = settled.filter(({ purpose }) => purpose !== 'reclaim');
  const elsewhere = leftWithoutTransfer(books, { account, assetId }, paid);
  const wanted = sum(received) + sum(back) - sum(paid) - sum(elsewhere) - feesPaid;
  return wanted === balance
    ? []
    : [`${assetId}: receipts less transfers make ${wanted}, ${account} holds ${balance}`];
}

/**
 * What somebody else sent, or the journal lost with a dump, and a person took as known: no transfer tells of it. Nor of XLM
 * that channels got.
 */
function leftWithoutTransfer(
  { ledger, database, foreign }: Books,
  { account, assetId }: Pick<HotWallet, 'account' | 'assetId'>,
  paid: Books['database']['transfers'],
): Books['ledger']['payments'] {
  const told = new Set(
    paid.map(({ ledgerHash, destination, amount }) => `${ledgerHash}:${destination}:${amount}`),
  );
  const adopted = new Set(
    database.submissions.filter(({ state }) => state === 'adopted').map(({ hash }) => hash),
  );
  return ledger.payments.filter(
    (one) =>
      one.from === account &&
      one.from !== one.to &&
      one.assetId === assetId &&
      (ledger.channels.has(one.to) || foreign.has(one.hash) || adopted.has(one.hash)) &&
      !told.has(`${one.hash}:${one.to}:${one.amount}`),
  );
}
