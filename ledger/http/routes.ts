import { getAccount, getAccountData, listAccounts } from './accounts.ts';
import { getClaimableBalance, listClaimableBalances } from './claimable-balances.ts';
import { fundAccount } from './friendbot.ts';
import {
  getFeeStats,
  getHealth,
  getLedger,
  getOperation,
  getRoot,
  getTransaction,
  ofAccount,
  ofLedger,
  operationsOfTransaction,
} from './history.ts';
import { ledgerList, operationList, transactionList } from './lists.ts';
import type { TokenList } from './lists.ts';
import type { Reply, Request } from './request.ts';
import { submitTransaction, submitTransactionAsync } from './submit.ts';

type Answer = (request: Request) => Reply | Promise<Reply>;

/** What a path answers: an own reply by method, or a list that can be paged and streamed. */
export interface Route {
  readonly pattern: RegExp;
  readonly get?: Answer;
  readonly post?: Answer;
  readonly list?: (request: Request) => TokenList;
}

/** @param path with `*` for a parameter */
function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('*', '([^/]+)')}$`);
}

/** Every path that is answered. */
export const ROUTES: readonly Route[] = [
  { pattern: pattern('/'), get: getRoot },
  { pattern: pattern('/health'), get: getHealth },
  { pattern: pattern('/fee_stats'), get: getFeeStats },
  { pattern: pattern('/friendbot'), get: fundAccount, post: fundAccount },
  { pattern: pattern('/ledgers'), list: ledgerList },
  { pattern: pattern('/ledgers/*'), get: getLedger },
  { pattern: pattern('/ledgers/*/transactions'), list: (request) => ofLedger(request, 'transactions') },
  { pattern: pattern('/ledgers/*/operations'), list: (request) => ofLedger(request, 'operations') },
  { pattern: pattern('/ledgers/*/payments'), list: (request) => ofLedger(request, 'payments') },
  { pattern: pattern('/accounts'), get: listAccounts },
  { pattern: pattern('/accounts/*'), get: getAccount },
  { pattern: pattern('/accounts/*/data/*'), get: getAccountData },
  { pattern: pattern('/accounts/*/transactions'), list: (request) => ofAccount(request, 'transactions') },
  { pattern: pattern('/accounts/*/operations'), list: (request) => ofAccount(request, 'operations') },
  { pattern: pattern('/accounts/*/payments'), list: (request) => ofAccount(request, 'payments') },
  {
    pattern: pattern('/transactions'),
    list: (request) => transactionList(request, ({ node }) => node.chain.history.all.transactions),
    post: submitTransaction,
  },
  { pattern: pattern('/transactions_async'), post: submitTransactionAsync },
  { pattern: pattern('/transactions/*'), get: getTransaction },
  {
    pattern: pattern('/transactions/*/operations'),
    list: (request) => operationsOfTransaction(request, false),
  },
  { pattern: pattern('/transactions/*/payments'), list: (request) => operationsOfTransaction(request, true) },
  {
    pattern: pattern('/operations'),
    list: (request) => operationList(request, ({ node }) => node.chain.history.all.operations),
  },
  { pattern: pattern('/operations/*'), get: getOperation },
  {
    pattern: pattern('/payments'),
    list: (request) => operationList(request, ({ node }) => node.chain.history.all.payments),
  },
  { pattern: pattern('/claimable_balances'), get: listClaimableBalances },
  { pattern: pattern('/claimable_balances/*'), get: getClaimableBalance },
];
