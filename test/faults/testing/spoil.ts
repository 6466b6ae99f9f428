import type { Books } from '../books.ts';
import { HOT, payment, rightBooks, submission } from './books.ts';

/** The same, to be changed at will. */
type Mutable<T> =
  T extends ReadonlySet<infer Item>
    ? Set<Item>
    : T extends object
      ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
      : T;
export type Spoil = (books: Mutable<Books>) => unknown;

/** The right books with one thing changed. */
export function spoilt(spoil: Spoil): Books {
  const books = structuredClone(rightBooks()) as Mutable<Books>;
  spoil(books);
  return books;
}

/** The deposit's payout was laid on the ledger; nobody claimed it, and it is back. */
export function laid({ ledger, database, wallets, anchor }: Mutable<Books>): void {
  ledger.payments[1]!.movement = 'laid';
  wallets.deposits[0]!.claim = 'reclaimed';
  database.transactions[0]!.attention = 'nobody claimed the 90 in time';
  ledger.payments.push({ ...payment('7', 'ANN', HOT, 90n), movement: 'takenBack' });
  anchor.assets[0]!.balance += 90n;
  database.submissions.push(submission('hash-7'));
  const key = { key: 'reclaim:b', purpose: 'reclaim', destination: HOT, ledgerHash: 'hash-7' };
  database.transfers.push({ ...database.transfers[0]!, ...key });
}

/** The same anchor, but its asset is XLM. */
export function inLumens({ anchor, ledger, database, wallets }: Mutable<Books>): void {
  for (const one of [
    ...anchor.assets,
    ...ledger.payments,
    ...database.receipts,
    ...database.transfers,
    ...wallets.deposits,
    ...wallets.withdrawals,
  ])
    one.assetId = 'native';
}
