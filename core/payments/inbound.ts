import { LedgerUnavailable } from '../ledger/errors.ts';
import type { LedgerPayment, LedgerTransaction } from '../ledger/types.ts';
import { mapLimited } from './concurrency.ts';
import type { LedgerContext } from './context.ts';

/** Look-ups of transactions side by side. */
const AT_ONCE = 8;
/** As many payments as a page holds; with ours among them it would show too few of others. */
const PAGE = 200;
/** From so many transactions on a page is looked at first. */
const WORTH_A_PAGE = 3;
/** The index of an operation in a paging token. */
const OPERATION_BITS = 0xfffn;

/** The token that a transaction's last operation may have: a cursor there is behind all of it. */
export function endOf({ pagingToken }: Pick<LedgerTransaction, 'pagingToken'>): bigint {
  return BigInt(pagingToken) | OPERATION_BITS;
}

/** The cursor before the transaction that a cursor lies in or right behind: a stream from there tells of that transaction again. */
export function beforeTransaction(position: string): string {
  const token = BigInt(position) & ~OPERATION_BITS;
  return String(token > 0n ? token - 1n : 0n);
}

/** A Horizon does not know a transaction that a stream told of: it lags, or two of them disagree. */
export class TransactionUnknown extends LedgerUnavailable {
  constructor(hash: string) {
    super(`Transaction ${hash}, which the stream told of, is not known yet.`);
  }
}

export interface Asked {
  readonly account: string;
  /** A paging token: what is not behind it is known already. */
  readonly after: string;
  /** Of those that the transactions lie among, how many operations are known to be no payments to the account. */
  readonly others: number;
  readonly signal: AbortSignal;
}

/**
 * The payments in successful transactions of strangers, in ledger order. Every transaction is answered for by a Horizon that knows it: by a page
 * that shows something behind it, else by itself.
 *
 * @param transactions in ledger order
 * @throws {TransactionUnknown} when no Horizon shows one of them yet; then all of them are to be asked for again
 */
export async function paymentsIn(
  { horizon }: Pick<LedgerContext, 'horizon'>,
  transactions: readonly LedgerTransaction[],
  { account, after, others, signal }: Asked,
): Promise<readonly LedgerPayment[]> {
  const isPageWorth = transactions.length >= WORTH_A_PAGE && others < PAGE;
  const page = isPageWorth ? await horizon.payments(account, { cursor: after, limit: PAGE, signal }) : [];
  const shown = Map.groupBy(page, ({ transactionHash }) => transactionHash);
  // It may end in the middle of its last transaction.
  const last = page.at(-1)?.transactionHash;
  const each = await mapLimited(transactions, AT_ONCE, async ({ hash }) => {
    const known = hash === last ? undefined : shown.get(hash);
    if (known) return known;
    const payments = await horizon.paymentsOfTransaction(hash, account, { signal });
    if (!payments) throw new TransactionUnknown(hash);
    return payments;
  });
  return each.flat().filter(({ pagingToken }) => BigInt(pagingToken) > BigInt(after));
}
