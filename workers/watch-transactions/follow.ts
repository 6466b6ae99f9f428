import { payoutHashes } from '../../core/database/repositories/submissions.ts';
import type { LedgerPayment, LedgerTransaction } from '../../core/ledger/types.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { beforeTransaction, endOf, paymentsIn, TransactionUnknown } from '../../core/payments/inbound.ts';
import { recordPayments } from '../../core/payments/record.ts';
import { inBatches } from './batches.ts';

/** A ledger's transactions come in one burst. */
const BURST = { most: 200, lingerMs: 20 } as const;
/** Operations of strangers that are recorded together. */
const MOST_OPERATIONS = 200;
/** How often a transaction is asked for again that no Horizon shows yet, and for how long. */
const AGAIN_MS = 1_000;
const AGAIN_TIMES = 60;

export interface Following {
  readonly account: string;
  /** A paging token: everything up to it is recorded. */
  readonly from: string;
  readonly signal: AbortSignal;
}

/**
 * Records an account's payments as its stream of transactions tells of them, in their order, until the signal ends it. A
 * batch of a hundred payouts of ours is one record, which brings the account nothing; of anybody else's transaction the payments are
 * asked for. The cursor only ever moves from one transaction of the stream to the next one, each of them ours or answered for, so nothing
 * can be passed over; a database that was replaced meanwhile is noticed by its cursor.
 *
 * @throws {CursorMoved} when somebody else moved the cursor: it is to be read anew
 * @throws {TransactionUnknown} when no Horizon shows for a minute what the stream told of
 */
export async function follow(
  context: LedgerContext,
  { account, from, signal: outer }: Following,
  report: (position: string) => void,
): Promise<void> {
  const ending = new AbortController();
  const signal = AbortSignal.any([outer, ending.signal]);
  // Pages may have ended in the middle of a transaction.
  const cursor = beforeTransaction(from);
  const stream = context.horizon.streamTransactions(account, { cursor, signal });
  let position = from;
  try {
    for await (const batch of inBatches(stream, { ...BURST, clock: context.clock })) {
      const news = batch.filter((one) => endOf(one) > BigInt(position));
      for (const part of await partsOf(context, account, news)) {
        position = await take(context, part, { account, position, signal });
        report(position);
      }
    }
  } finally {
    ending.abort();
  }
}

/** Transactions in a row. */
interface Part {
  readonly transactions: LedgerTransaction[];
  /** Those whose payments are to be asked for. */
  readonly strangers: LedgerTransaction[];
  operations: number;
}

/** A failed transaction moved nothing, and one of ours nothing to the account. */
async function partsOf(
  { database }: LedgerContext,
  account: string,
  batch: readonly LedgerTransaction[],
): Promise<readonly Part[]> {
  const hashes = batch.flatMap(({ hash, innerHash }) =>
    innerHash === undefined ? [hash] : [hash, innerHash],
  );
  const own = await payoutHashes(database, account, hashes);
  const parts: Part[] = [];
  for (const transaction of batch) {
    const { hash, innerHash, successful, operationCount } = transaction;
    const isStranger = successful && !own.has(hash) && !own.has(innerHash ?? '');
    let part = parts.at(-1);
    if (!part || (isStranger && part.operations + operationCount > MOST_OPERATIONS)) {
      part = { transactions: [], strangers: [], operations: 0 };
      parts.push(part);
    }
    part.transactions.push(transaction);
    if (!isStranger) continue;
    part.strangers.push(transaction);
    part.operations += operationCount;
  }
  return parts;
}

interface At {
  readonly account: string;
  readonly position: string;
  readonly signal: AbortSignal;
}

/** Records a part; answers how far the cursor is then. */
async function take(context: LedgerContext, { transactions, strangers }: Part, at: At): Promise<string> {
  const last = transactions.at(-1);
  if (!last) return at.position;
  const ours = transactions.filter((one) => !strangers.includes(one));
  const others = ours.reduce((sum, { operationCount }) => sum + operationCount, 0);
  const payments = strangers.length === 0 ? [] : await untilShown(context, strangers, others, at);
  const end = { position: String(endOf(last)), ledger: last.ledger };
  await recordPayments(context, at.account, payments, { after: at.position, end });
  return end.position;
}

async function untilShown(
  context: LedgerContext,
  strangers: readonly LedgerTransaction[],
  others: number,
  { account, position, signal }: At,
): Promise<readonly LedgerPayment[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await paymentsIn(context, strangers, { account, after: position, others, signal });
    } catch (error) {
      if (!(error instanceof TransactionUnknown) || tries >= AGAIN_TIMES || signal.aborted) throw error;
      await context.clock.sleep(AGAIN_MS, signal);
    }
  }
}
