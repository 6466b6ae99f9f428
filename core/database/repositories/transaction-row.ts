import { sql, type Insertable, type Selectable } from 'kysely';
import { formatAmount, parseAmount, type Stroops } from '../../transaction/amount.ts';
import type { FeeLine } from '../../transaction/fee.ts';
import type { RefundPayment, Transaction, TransactionPatch } from '../../transaction/transaction.ts';
import type { RecordValues } from '../recordset.ts';
import type { Tables } from '../schema.ts';

export type TransactionRow = Selectable<Tables['transaction']>;

const JSON_COLUMNS = ['feeDetails', 'refunds', 'instructions'] as const;

const text = (amount: Stroops | null): string | null => (amount === null ? null : formatAmount(amount));
const stroops = (amount: string | null): Stroops | null => (amount === null ? null : parseAmount(amount));

/** What a patch sets, by column: amounts as decimals, JSON as it is. What it leaves open is not there. */
export function columnsOf(patch: TransactionPatch): RecordValues {
  const { amountExpected, amountIn, amountOut, amountFee, feeDetails, refunds, ...same } = patch;
  const columns = {
    ...same,
    ...(amountExpected !== undefined && { amountExpected: text(amountExpected) }),
    ...(amountIn !== undefined && { amountIn: text(amountIn) }),
    ...(amountOut !== undefined && { amountOut: text(amountOut) }),
    ...(amountFee !== undefined && { amountFee: text(amountFee) }),
    ...(feeDetails !== undefined && {
      feeDetails: feeDetails && feeDetails.map((line) => ({ ...line, amount: formatAmount(line.amount) })),
    }),
    ...(refunds !== undefined && {
      refunds:
        refunds &&
        refunds.map((refund) => ({
          ...refund,
          amount: formatAmount(refund.amount),
          fee: formatAmount(refund.fee),
        })),
    }),
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

/** The same for a statement with a parameter a column: JSON as text, since pg would turn an array into a PostgreSQL array. */
export function insertableOf(patch: TransactionPatch): Partial<Insertable<Tables['transaction']>> {
  const columns: Record<string, unknown> = { ...columnsOf(patch) };
  for (const name of JSON_COLUMNS) {
    const value = columns[name];
    if (value !== undefined && value !== null) columns[name] = sql`${JSON.stringify(value)}::jsonb`;
  }
  return columns;
}

type Converted = 'amountExpected' | 'amountIn' | 'amountOut' | 'amountFee' | 'feeDetails' | 'refunds';

/** A row of the table `transaction`, whole or in part, as the rest of the program knows it. */
export function toTransaction<Row extends Pick<TransactionRow, Converted>>(
  row: Row,
): Omit<Row, Converted> & Pick<Transaction, Converted> {
  return {
    ...row,
    amountExpected: stroops(row.amountExpected),
    amountIn: stroops(row.amountIn),
    amountOut: stroops(row.amountOut),
    amountFee: stroops(row.amountFee),
    feeDetails:
      row.feeDetails &&
      row.feeDetails.map((line): FeeLine => ({ ...line, amount: parseAmount(line.amount) })),
    refunds:
      row.refunds &&
      row.refunds.map((refund): RefundPayment => ({
        ...refund,
        amount: parseAmount(refund.amount),
        fee: parseAmount(refund.fee),
      })),
  };
}
