import type { Lane, PageQuery } from '../chain/lane.ts';
import type { Lanes } from '../chain/history.ts';
import type { LedgerRecord, OperationRecord, TransactionRecord } from '../chain/records.ts';
import { ledgerResource } from '../resources/ledger.ts';
import { operationResource } from '../resources/operation.ts';
import { transactionResource } from '../resources/transaction.ts';
import type { Json } from '../resources/hal.ts';
import { readFlag, readJoin } from './query.ts';
import type { Reader, Request } from './request.ts';

/**
 * A list that is ordered by paging token: it can be paged and streamed. Built once for a request; `read` sees the
 * network as it is when it is called.
 */
export interface TokenList {
  read(reader: Reader, query: PageQuery): readonly Json[];
}

type LaneOf<Item extends { token: bigint }> = (reader: Reader) => Lane<Item> | null;

function pageOf<Item extends { token: bigint }>(
  lane: Lane<Item> | null,
  reader: Reader,
  query: PageQuery,
  keep: (item: Item) => boolean,
): Item[] {
  return lane === null ? [] : lane.page(query, reader.window, keep);
}

export function ledgerList({ links }: Request): TokenList {
  return {
    read: (reader, query) => {
      const { history, maxOperations } = reader.node.chain;
      const records: LedgerRecord[] = pageOf(history.ledgers, reader, query, () => true);
      return records.map((record) => ledgerResource(record, maxOperations, links));
    },
  };
}

/** @throws Problem 400 */
export function transactionList(
  { links, query: parameters }: Request,
  lane: LaneOf<TransactionRecord>,
): TokenList {
  const failedToo = readFlag(parameters, 'include_failed');
  return {
    read: (reader, query) => {
      const { history } = reader.node.chain;
      const records = pageOf(lane(reader), reader, query, ({ successful }) => successful || failedToo);
      return records.map((record) => transactionResource(record, history.decoded(record), links));
    },
  };
}

/** @throws Problem 400 */
export function operationList(
  { links, query: parameters }: Request,
  lane: LaneOf<OperationRecord>,
  always = false,
): TokenList {
  const failedToo = always || readFlag(parameters, 'include_failed');
  const join = readJoin(parameters);
  return {
    read: (reader, query) => {
      const { history } = reader.node.chain;
      const records = pageOf(
        lane(reader),
        reader,
        query,
        ({ transaction }) => transaction.successful || failedToo,
      );
      return records.map((record) =>
        operationResource(record, history.decoded(record.transaction), links, join),
      );
    },
  };
}

/** The lanes of an account, or null if it never was in a ledger. */
export function accountLanes(account: string): (reader: Reader) => Lanes | null {
  return (reader) => reader.node.chain.history.ofAccount(account);
}
