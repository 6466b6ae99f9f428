import type { Transaction } from '../../core/transaction/transaction.ts';

/** Where a customer's browser finds a transaction; the interactive pages implement it. */
export interface Links {
  /** A fresh URL that opens the interactive flow once; `lang` is the page's language. */
  interactive(transaction: Transaction, lang: string): string;
  /** A fresh URL that shows the transaction's state without any header; every answer carries a new one. */
  moreInfo(transaction: Pick<Transaction, 'id' | 'subject'>): string;
}
