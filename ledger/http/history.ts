import type { TransactionRecord } from '../chain/records.ts';
import { feeStatsResource, FEE_STATS_LEDGERS } from '../resources/fee-stats.ts';
import { ledgerResource } from '../resources/ledger.ts';
import { operationResource } from '../resources/operation.ts';
import { rootResource } from '../resources/root.ts';
import { transactionResource } from '../resources/transaction.ts';
import { Lane } from '../chain/lane.ts';
import { ledgerToken } from '../chain/records.ts';
import type { LedgerRecord, OperationRecord } from '../chain/records.ts';
import type { TokenList } from './lists.ts';
import { accountLanes, operationList, transactionList } from './lists.ts';
import { beforeHistory, notFound } from './problem.ts';
import { badRequest } from './problem.ts';
import { checkAccountId, checkHash, checkLedgerSequence, readJoin } from './query.ts';
import { ok } from './request.ts';
import type { Reader, Reply, Request } from './request.ts';

function latestLedgers(reader: Reader, limit: number): readonly LedgerRecord[] {
  const { history } = reader.node.chain;
  return history.ledgers.page({ cursor: null, order: 'desc', limit }, reader.window, () => true);
}

/** GET / */
export function getRoot({ reader, links }: Request): Reply {
  const { chain } = reader.node;
  const [latest] = latestLedgers(reader, 1);
  return ok(rootResource(latest ?? chain.latest, chain.history.oldest, chain.passphrase, links));
}

/** GET /health */
export function getHealth(): Reply {
  return ok({ database_connected: true, core_up: true, core_synced: true });
}

/** GET /fee_stats */
export function getFeeStats({ reader }: Request): Reply {
  return ok(feeStatsResource(latestLedgers(reader, FEE_STATS_LEDGERS), reader.node.chain.maxOperations));
}

/** GET /ledgers/{sequence}. @throws Problem 400, 404, 410 */
export function getLedger({ reader, params, links }: Request): Reply {
  const sequence = checkLedgerSequence(params[0] ?? '');
  const { history, maxOperations } = reader.node.chain;
  if (sequence < history.oldest) throw beforeHistory();
  const record = sequence > reader.latest ? null : history.ledgers.find(ledgerToken(sequence));
  if (record === null) throw notFound();
  return ok(ledgerResource(record, maxOperations, links));
}

function findTransaction({ reader, params }: Request): { record: TransactionRecord; hash: string } {
  const hash = checkHash(params[0] ?? '');
  const record = reader.node.chain.history.byHash(hash);
  if (record === null || record.ledger > reader.latest) throw notFound();
  return { record, hash };
}

/** GET /transactions/{hash}, by either hash of a fee bump. @throws Problem 400, 404 */
export function getTransaction(request: Request): Reply {
  const { record, hash } = findTransaction(request);
  const parsed = request.reader.node.chain.history.decoded(record);
  return ok(transactionResource(record, parsed, request.links, hash));
}

/** GET /operations/{id}. @throws Problem 400, 404 */
export function getOperation({ reader, params, links, query }: Request): Reply {
  const id = params[0] ?? '';
  if (!/^\d{1,19}$/.test(id)) throw badRequest('id', 'Operation ID must be an integer');
  const { history } = reader.node.chain;
  const record = history.all.operations.find(BigInt(id));
  const { first, end } = reader.window;
  if (record === null || record.token < first || record.token >= end) throw notFound();
  return ok(operationResource(record, history.decoded(record.transaction), links, readJoin(query)));
}

/** The operations of one transaction, failed or not. @throws Problem 400, 404 */
export function operationsOfTransaction(request: Request, onlyPayments: boolean): TokenList {
  const { record } = findTransaction(request);
  const { history } = request.reader.node.chain;
  const lane = new Lane<OperationRecord>();
  const source = onlyPayments ? history.all.payments : history.all.operations;
  const window = { first: record.token, end: record.token + 4096n };
  for (const operation of source.page({ cursor: null, order: 'asc', limit: 100 }, window, () => true)) {
    lane.push(operation);
  }
  return operationList(request, () => lane, true);
}

/** What belongs to one ledger. @throws Problem 400, 404, 410 */
export function ofLedger(request: Request, kind: 'transactions' | 'operations' | 'payments'): TokenList {
  getLedger(request);
  const sequence = checkLedgerSequence(request.params[0] ?? '');
  const within = { first: ledgerToken(sequence), end: ledgerToken(sequence + 1) };
  const narrow = <Item extends { token: bigint }>(lane: Lane<Item>): Lane<Item> => {
    const own = new Lane<Item>();
    for (const item of lane.page({ cursor: null, order: 'asc', limit: 1_000_000 }, within, () => true))
      own.push(item);
    return own;
  };
  const { all } = request.reader.node.chain.history;
  if (kind === 'transactions') return transactionList(request, () => narrow(all.transactions));
  return operationList(request, () => narrow(all[kind]));
}

/** What belongs to one account, merged ones too. @throws Problem 400, 404 if it never was in a ledger */
export function ofAccount(request: Request, kind: 'transactions' | 'operations' | 'payments'): TokenList {
  const account = checkAccountId(request.params[0] ?? '');
  const lanes = accountLanes(account);
  const { reader } = request;
  if (lanes(reader) === null && reader.state.account(account) === null) throw notFound();
  if (kind === 'transactions') return transactionList(request, (at) => lanes(at)?.transactions ?? null);
  return operationList(request, (at) => lanes(at)?.[kind] ?? null);
}
