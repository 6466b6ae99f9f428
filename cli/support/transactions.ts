import {
  listTransactions,
  readTransactionFile,
  type TransactionFile,
} from '../../core/database/repositories/support.ts';
import { UnknownId } from '../../core/database/repositories/interventions.ts';
import { formatAmount } from '../../core/transaction/amount.ts';
import type { Kind, Status } from '../../core/transaction/status.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { onAnchor, requireId, type SupportOptions } from './open.ts';
import { plain, print, tableText, timeText, type Line } from './output.ts';
import { timelineOf } from './timeline.ts';

export interface ListOptions extends SupportOptions {
  readonly status?: Status;
  readonly kind?: Kind;
  readonly attention?: boolean;
  readonly account?: string;
  readonly limit: number;
}

const amountText = (amount: bigint | null): string => (amount === null ? '' : formatAmount(amount));
const codeOf = (assetId: string): string => assetId.split(':')[0] ?? assetId;
/** A callback's URL may carry a wallet's secret: where it leads is enough. */
const originOf = (url: string | null): string | null =>
  url === null ? null : (URL.parse(url)?.origin ?? url);

/** `capstan transactions list`. */
export async function runListTransactions(options: ListOptions): Promise<number> {
  const { status, kind, attention, account, limit } = options;
  const transactions = await onAnchor(options, ({ database }) =>
    listTransactions(database, {
      limit,
      ...(status !== undefined && { status }),
      ...(kind !== undefined && { kind }),
      ...(attention === true && { needsAttention: true }),
      ...(account !== undefined && { account }),
    }),
  );
  print(options.output, {
    json: transactions.map(toJson),
    text: tableText(transactions.map(toLine), 'No transaction is like that.'),
  });
  return 0;
}

function toLine(transaction: Transaction): Line {
  return {
    ID: transaction.id,
    KIND: transaction.kind,
    STATUS: transaction.status,
    ASSET: codeOf(transaction.assetId),
    IN: amountText(transaction.amountIn ?? transaction.amountExpected),
    OUT: amountText(transaction.amountOut),
    SINCE: timeText(transaction.updatedAt),
    ATTENTION: transaction.attention ?? '',
  };
}

/** What support may see: not the form's values, not how to pay in, not the whole callback URLs. */
function toJson(transaction: Transaction): object {
  const { instructions: _instructions, feeDetails, refunds, ...shown } = transaction;
  return {
    ...shown,
    amountExpected: amountText(transaction.amountExpected) || null,
    amountIn: amountText(transaction.amountIn) || null,
    amountOut: amountText(transaction.amountOut) || null,
    amountFee: amountText(transaction.amountFee) || null,
    feeDetails: feeDetails?.map((line) => ({ ...line, amount: formatAmount(line.amount) })) ?? null,
    refunds:
      refunds?.map((one) => ({ ...one, amount: formatAmount(one.amount), fee: formatAmount(one.fee) })) ??
      null,
    callback: originOf(transaction.callback),
    onChangeCallback: originOf(transaction.onChangeCallback),
  };
}

/** `capstan transactions show ID`. @throws {InvalidId | UnknownId} */
export async function runShowTransaction(text: string, options: SupportOptions): Promise<number> {
  const id = requireId(text);
  const file = await onAnchor(options, ({ database }) => readTransactionFile(database, id));
  if (!file) throw new UnknownId(id);
  print(options.output, { json: fileJson(file), text: fileText(file) });
  return 0;
}

function fileJson({ transaction, transfers, receipts, ...rest }: TransactionFile): object {
  return {
    transaction: toJson(transaction),
    transfers: transfers.map((one) => ({ ...one, amount: formatAmount(one.amount) })),
    receipts: receipts.map((one) => ({ ...one, amount: formatAmount(one.amount) })),
    ...rest,
  };
}

function fileText(file: TransactionFile): string {
  const { transaction } = file;
  const facts: Readonly<Record<string, string | null>> = {
    asset: transaction.assetId,
    customer: transaction.subject,
    wallet: transaction.clientDomain,
    'amount in': amountText(transaction.amountIn ?? transaction.amountExpected),
    fee: amountText(transaction.amountFee),
    'amount out': amountText(transaction.amountOut),
    destination: transaction.destination,
    source: transaction.source,
    'paid to': transaction.anchorAccount,
    memo: transaction.withdrawMemo ?? transaction.destinationMemo,
    'bank reference': transaction.externalTransactionId,
    'ledger hash': transaction.stellarTransactionId,
    'money received': timeText(transaction.transferReceivedAt),
    'customer’s deadline': timeText(transaction.userActionRequiredBy),
    'told the customer': transaction.message,
    'needs a person': transaction.attention,
  };
  const known = Object.entries(facts).filter(([, value]) => value !== null && value !== '');
  const width = Math.max(...known.map(([name]) => name.length));
  const head = `${transaction.kind} ${transaction.id}: ${transaction.status} since ${timeText(transaction.updatedAt)}`;
  const lines = known.map(([name, value]) => `  ${name.padEnd(width)}  ${plain(value ?? '')}`);
  return `${[head, ...lines].join('\n')}\n\n${tableText(timelineOf(file), '')}`;
}
