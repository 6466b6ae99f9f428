import { MAX_INT64 } from '../network.ts';
import type { Draft } from '../state/draft.ts';
import { isAuthorized, spendable } from '../state/entries.ts';
import type { Asset } from '../wire/asset.ts';
import { assetKey } from '../wire/asset.ts';

/** Why an account cannot take or give an amount. */
export type BalanceProblem = 'no_trust' | 'not_authorized' | 'line_full' | 'underfunded';

/**
 * Adds stroops to what an existing account holds; at the issuer they vanish. Null, or why not.
 */
export function credit(draft: Draft, accountId: string, asset: Asset, amount: bigint): BalanceProblem | null {
  if (asset.type !== 'native' && asset.issuer === accountId) return null;
  const account = draft.account(accountId);
  if (account === null) return 'no_trust';
  if (asset.type === 'native') {
    if (account.balance + amount > MAX_INT64) return 'line_full';
    draft.putAccount({ ...account, balance: account.balance + amount });
    return null;
  }
  const key = assetKey(asset);
  const line = account.trustlines.get(key);
  if (line === undefined) return 'no_trust';
  if (!isAuthorized(line)) return 'not_authorized';
  if (line.balance + amount > line.limit) return 'line_full';
  draft.putTrustline(account, key, { ...line, balance: line.balance + amount });
  return null;
}

/**
 * Takes stroops from what an existing account can spend; the issuer makes them from nothing. Null, or why not.
 */
export function debit(draft: Draft, accountId: string, asset: Asset, amount: bigint): BalanceProblem | null {
  if (asset.type !== 'native' && asset.issuer === accountId) return null;
  const account = draft.account(accountId);
  if (account === null) return 'no_trust';
  if (asset.type === 'native') {
    if (spendable(account) < amount) return 'underfunded';
    draft.putAccount({ ...account, balance: account.balance - amount });
    return null;
  }
  const key = assetKey(asset);
  const line = account.trustlines.get(key);
  if (line === undefined) return 'no_trust';
  if (!isAuthorized(line)) return 'not_authorized';
  if (line.balance < amount) return 'underfunded';
  draft.putTrustline(account, key, { ...line, balance: line.balance - amount });
  return null;
}
