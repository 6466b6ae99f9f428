import { suspensions } from '../database/repositories/control.ts';
import type { Anchor } from '../spec/anchor.ts';
import type { LedgerContext } from './context.ts';

/** Whether the spec stops money: the anchor's, or an asset's (which the anchor's stops too). */
export interface SuspensionView {
  isSuspended(assetId?: string): boolean;
}

/** A view of the spec that follows it; nothing but the fields `suspended` is taken over. */
export interface LiveSuspensions extends SuspensionView {
  setAnchor(anchor: Pick<Anchor, 'payments' | 'assets'>): void;
}

export function liveSuspensions(first: Pick<Anchor, 'payments' | 'assets'>): LiveSuspensions {
  let anchor = first;
  return {
    isSuspended: (assetId) =>
      anchor.payments.suspended || anchor.assets.some((asset) => asset.id === assetId && asset.suspended),
    setAnchor: (changed) => (anchor = changed),
  };
}

/** What of an anchor's money may not move now, by the spec or by an operator. */
export interface StoppedMoney {
  readonly isAll: boolean;
  /** Asset ids. */
  readonly assets: readonly string[];
}

/** Design 6.9: what is stopped neither goes to the ledger nor to the bank; what is in flight settles. */
export async function stoppedMoney({
  database,
  anchor,
  suspension = liveSuspensions(anchor),
}: Pick<LedgerContext, 'database' | 'anchor' | 'suspension'>): Promise<StoppedMoney> {
  const rows = await suspensions(database);
  const inSpec = anchor.assets.map(({ id }) => id).filter((id) => suspension.isSuspended(id));
  return {
    isAll: suspension.isSuspended() || rows.has('anchor'),
    assets: [...new Set([...rows.keys(), ...inSpec])],
  };
}
