import { BadLedgerAnswer } from './errors.ts';
import type { Fields } from './fields.ts';
import { readAssetId } from './read-account.ts';
import { readMemo } from './read-transaction.ts';
import { mergedAmount } from './result.ts';
import { PAYMENT_TYPES } from './types.ts';
import type { LedgerPayment } from './types.ts';

/** What every kind of payment has in common. */
type Shared = Omit<LedgerPayment, 'from' | 'fromMuxed' | 'to' | 'toMuxedId' | 'assetId' | 'amount'>;
type Movement = Omit<LedgerPayment, keyof Shared>;

/** An operation id is the transaction's paging token plus its index from 1 (SEP-35), twelve bits of it. */
const INDEX_BITS = 0xfffn;

/**
 * The movements in one record of `/payments?join=transactions` that concern `account`. Empty for a contract call that
 * moved nothing of the account's.
 * @throws {BadLedgerAnswer}
 */
export function readPayment(fields: Fields, account: string): LedgerPayment[] {
  const transaction = fields.object('transaction');
  const id = fields.bigint('id');
  const shared: Shared = {
    id: String(id),
    pagingToken: String(fields.bigint('paging_token')),
    type: fields.oneOf('type', PAYMENT_TYPES),
    transactionHash: fields.string('transaction_hash'),
    successful: fields.boolean('transaction_successful'),
    ledger: transaction.integer('ledger'),
    closedAt: fields.string('created_at'),
    operationIndex: Number(id & INDEX_BITS) - 1,
    sourceAccount: fields.string('source_account'),
    ...readMemo(transaction),
  };
  return movements(fields, shared, account).map((movement, index) => ({
    ...shared,
    ...movement,
    id: index === 0 ? shared.id : `${shared.id}-${index}`,
  }));
}

function movements(fields: Fields, shared: Shared, account: string): Movement[] {
  switch (shared.type) {
    case 'create_account':
      return [
        {
          ...muxedFrom(fields, 'funder'),
          to: fields.string('account'),
          assetId: 'native',
          amount: fields.amount('starting_balance'),
        },
      ];
    case 'account_merge':
      return [mergeMovement(fields, shared)];
    case 'invoke_host_function':
      return contractMovements(fields, account);
    default:
      return [
        {
          ...muxedFrom(fields, 'from'),
          ...muxedTo(fields, 'to'),
          assetId: readAssetId(fields),
          amount: fields.amount('amount'),
        },
      ];
  }
}

/** Horizon names no amount for a merge: the transaction's own result does. */
function mergeMovement(fields: Fields, shared: Shared): Movement {
  const transaction = fields.object('transaction');
  const amount = shared.successful
    ? mergedAmount(transaction.string('result_xdr'), shared.operationIndex)
    : 0n;
  if (amount === undefined) {
    throw new BadLedgerAnswer(`${transaction.path}.result_xdr`, 'the result of a merge at this operation');
  }
  return { ...muxedFrom(fields, 'account'), ...muxedTo(fields, 'into'), assetId: 'native', amount };
}

function contractMovements(fields: Fields, account: string): Movement[] {
  if (!fields.has('asset_balance_changes')) return [];
  return fields
    .list('asset_balance_changes')
    .map((change) => ({
      // A mint has no sender, a burn and a clawback no receiver: the issuer is meant.
      from: change.optionalString('from') ?? change.optionalString('asset_issuer') ?? '',
      to: change.optionalString('to') ?? change.optionalString('asset_issuer') ?? '',
      ...(change.has('destination_muxed_id')
        ? { toMuxedId: String(change.bigint('destination_muxed_id')) }
        : {}),
      assetId: readAssetId(change),
      amount: change.amount('amount'),
    }))
    .filter(({ from, to }) => from === account || to === account);
}

function muxedFrom(fields: Fields, name: string): Pick<LedgerPayment, 'from' | 'fromMuxed'> {
  const muxed = fields.optionalString(`${name}_muxed`);
  return { from: fields.string(name), ...(muxed === undefined ? {} : { fromMuxed: muxed }) };
}

function muxedTo(fields: Fields, name: string): Pick<LedgerPayment, 'to' | 'toMuxedId'> {
  const has = fields.has(`${name}_muxed_id`);
  return {
    to: fields.string(name),
    ...(has ? { toMuxedId: String(fields.bigint(`${name}_muxed_id`)) } : {}),
  };
}
