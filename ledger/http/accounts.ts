import type { Account } from '../state/entries.ts';
import { accountResource } from '../resources/account.ts';
import { assetKey, parseAssetKey } from '../wire/asset.ts';
import { pageResource } from './page.ts';
import { badRequest, notFound } from './problem.ts';
import { checkAccountId, readLimit, readOrder } from './query.ts';
import { ok } from './request.ts';
import type { Reply, Request } from './request.ts';

function findAccount({ reader, params }: Request): Account {
  const account = reader.state.account(checkAccountId(params[0] ?? ''));
  if (account === null) throw notFound();
  return account;
}

/** GET /accounts/{id}; the header names the ledger whose state it is. @throws Problem 400, 404 */
export function getAccount(request: Request): Reply {
  const account = findAccount(request);
  return ok(accountResource(account, request.links), { 'Latest-Ledger': String(request.reader.latest) });
}

/** GET /accounts/{id}/data/{key}. @throws Problem 400, 404 */
export function getAccountData(request: Request): Reply {
  const value = findAccount(request).data.get(request.params[1] ?? '');
  if (value === undefined) throw notFound();
  return ok({ value });
}

/** Which accounts are asked for. @throws Problem 400 */
function accountFilter(query: URLSearchParams): (account: Account) => boolean {
  const [signer, asset] = [query.get('signer'), query.get('asset')];
  if ((signer === null) === (asset === null)) {
    throw badRequest('filters', 'Exactly one filter is required: signer or asset.');
  }
  if (signer !== null) {
    const key = checkAccountId(signer, 'signer');
    return ({ id, masterWeight, signers }) =>
      (id === key && masterWeight > 0) || signers.some((other) => other.key === key);
  }
  const wanted = parseAssetKey(asset ?? '');
  if (wanted === null || wanted.type === 'native') throw badRequest('asset', 'Asset must be code:issuer.');
  return ({ trustlines }) => trustlines.has(assetKey(wanted));
}

/** GET /accounts?signer= or ?asset=, in the order of their ids. @throws Problem 400 */
export function listAccounts({ reader, query, links, url }: Request): Reply {
  const filter = accountFilter(query);
  const [order, limit, cursor] = [readOrder(query), readLimit(query), query.get('cursor') ?? ''];
  const found: Account[] = [];
  for (const id of reader.state.accountIds()) {
    const account = reader.state.account(id);
    if (account !== null && filter(account)) found.push(account);
  }
  found.sort((left, right) => (left.id < right.id ? -1 : 1) * (order === 'asc' ? 1 : -1));
  const past = found.filter(({ id }) => cursor === '' || (order === 'asc' ? id > cursor : id < cursor));
  const records = past.slice(0, limit).map((account) => accountResource(account, links));
  return ok(pageResource({ url, query, order, limit, records }));
}
