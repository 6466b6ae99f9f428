import type { OperationRecord } from '../chain/records.ts';
import type { ParsedTransaction } from '../wire/envelope.ts';
import { formatTime } from '../wire/primitives.ts';
import { isSupported, resultTable } from '../wire/result-codes.ts';
import type { Json, Linker } from './hal.ts';
import { operationFields } from './operation-body.ts';
import { muxedFields, transactionResource } from './transaction.ts';

/** The name that Horizon gives a type: strictReceive → strict_receive. */
function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * An operation as Horizon shows it.
 * @param parsed the transaction that holds it
 * @param join whether to embed the whole transaction
 */
export function operationResource(
  record: OperationRecord,
  parsed: ParsedTransaction,
  links: Linker,
  join: boolean,
): Json {
  const { transaction, token, index } = record;
  const operation = parsed.inner.operations[index];
  if (operation === undefined)
    throw new RangeError(`Transaction ${transaction.hash} has no operation ${index}.`);
  const { type } = operation.body;
  return {
    _links: {
      self: links.to(`/operations/${token}`),
      transaction: links.to(`/transactions/${transaction.hash}`),
      effects: links.to(`/operations/${token}/effects`),
      succeeds: links.to(`/effects?order=desc&cursor=${token}`),
      precedes: links.to(`/effects?order=asc&cursor=${token}`),
    },
    id: String(token),
    paging_token: String(token),
    transaction_successful: transaction.successful,
    source_account: operation.source.account,
    ...muxedFields('source_account', operation.source),
    type: snakeCase(type),
    type_i: isSupported(type) ? resultTable(type).type : -1,
    created_at: formatTime(transaction.closedAt),
    transaction_hash: transaction.hash,
    ...(join ? { transaction: transactionResource(transaction, parsed, links) } : {}),
    ...operationFields(operation, transaction.successful),
  };
}
