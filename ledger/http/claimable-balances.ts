import type { ClaimableBalance } from '../state/entries.ts';
import { claimableBalanceResource } from '../resources/claimable-balance.ts';
import { assetKey, parseAssetKey } from '../wire/asset.ts';
import { pageResource } from './page.ts';
import { badRequest, notFound } from './problem.ts';
import { checkAccountId, readLimit, readOrder } from './query.ts';
import { ok } from './request.ts';
import type { Reply, Request } from './request.ts';

/** GET /claimable_balances/{id}. @throws Problem 400, 404 */
export function getClaimableBalance({ reader, params, links }: Request): Reply {
  const id = params[0] ?? '';
  if (!/^[0-9a-f]{72}$/.test(id)) throw badRequest('id', 'Invalid claimable balance ID');
  const balance = reader.state.claimableBalance(id);
  if (balance === null) throw notFound();
  return ok(claimableBalanceResource(balance, links), { 'Latest-Ledger': String(reader.latest) });
}

function balanceFilter(query: URLSearchParams): (balance: ClaimableBalance) => boolean {
  const [claimant, sponsor, asset] = [query.get('claimant'), query.get('sponsor'), query.get('asset')];
  if (claimant !== null) checkAccountId(claimant, 'claimant');
  if (sponsor !== null) checkAccountId(sponsor, 'sponsor');
  const wanted = asset === null ? null : parseAssetKey(asset);
  if (asset !== null && wanted === null) throw badRequest('asset', 'Asset must be native or code:issuer.');
  return (balance) =>
    (claimant === null || balance.claimants.some(({ destination }) => destination === claimant)) &&
    (sponsor === null || balance.sponsor === sponsor) &&
    (wanted === null || assetKey(balance.asset) === assetKey(wanted));
}

interface Place {
  readonly ledger: number;
  readonly id: string;
}

function parsePlace(cursor: string): Place | null {
  if (cursor === '') return null;
  const match = /^(\d{1,10})-([0-9a-f]{72})$/.exec(cursor);
  if (match === null)
    throw badRequest('cursor', 'The first part should be a number, the second a balance ID.');
  return { ledger: Number(match[1]), id: match[2] ?? '' };
}

function compare(left: Place, right: Place): number {
  if (left.ledger !== right.ledger) return left.ledger - right.ledger;
  if (left.id === right.id) return 0;
  return left.id < right.id ? -1 : 1;
}

function placeOf(balance: ClaimableBalance): Place {
  return { ledger: balance.lastModifiedLedger, id: balance.id };
}

/** GET /claimable_balances?claimant=&sponsor=&asset=, in the order of their ledgers. @throws Problem 400 */
export function listClaimableBalances({ reader, query, links, url }: Request): Reply {
  const filter = balanceFilter(query);
  const [order, limit] = [readOrder(query), readLimit(query)];
  const direction = order === 'asc' ? 1 : -1;
  const cursor = parsePlace(query.get('cursor') ?? '');
  const found: ClaimableBalance[] = [];
  for (const id of reader.state.claimableBalanceIds()) {
    const balance = reader.state.claimableBalance(id);
    if (balance === null || !filter(balance)) continue;
    if (cursor === null || compare(placeOf(balance), cursor) * direction > 0) found.push(balance);
  }
  found.sort((left, right) => compare(placeOf(left), placeOf(right)) * direction);
  const records = found.slice(0, limit).map((balance) => claimableBalanceResource(balance, links));
  return ok(pageResource({ url, query, order, limit, records }));
}
