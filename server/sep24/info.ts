import type { Anchor, Asset } from '../../core/spec/anchor.ts';
import { formatAmount, type Stroops } from '../../core/transaction/amount.ts';
import { leastAmount } from '../../core/transaction/charge.ts';
import type { Kind } from '../../core/transaction/status.ts';
import { codeOf } from './assets.ts';

/** One asset in one direction, as GET /info tells it. Numbers, not strings: SEP-24 wants them so here. */
export interface InfoEntry {
  readonly enabled: boolean;
  readonly min_amount?: number;
  readonly max_amount?: number;
  readonly fee_fixed?: number;
  /** Percentage points: 0.5 is one half per cent. */
  readonly fee_percent?: number;
}

export interface Info {
  readonly deposit: Readonly<Record<string, InfoEntry>>;
  readonly withdraw: Readonly<Record<string, InfoEntry>>;
  readonly fee: { readonly enabled: true; readonly authentication_required: boolean };
  readonly features: { readonly account_creation: boolean; readonly claimable_balances: boolean };
}

/**
 * The answer of GET /info (SEP-24). XLM is under `native`; of several assets of one code it shows the first, which a
 * request without `asset_issuer` means.
 *
 * @param hasFeeHook the integration sets the fees: then no schedule is told, and `/fee` wants a token, since each of
 * its answers is a call of the integration
 */
export function infoOf(anchor: Pick<Anchor, 'assets' | 'payments'>, hasFeeHook: boolean): Info {
  const entries = (kind: Kind): Record<string, InfoEntry> => {
    const told: Record<string, InfoEntry> = {};
    for (const asset of anchor.assets) told[codeOf(asset)] ??= entryOf(asset, kind, hasFeeHook);
    return told;
  };
  return {
    deposit: entries('deposit'),
    withdraw: entries('withdrawal'),
    fee: { enabled: true, authentication_required: hasFeeHook },
    features: {
      account_creation: anchor.payments.accountCreation.enabled,
      claimable_balances: anchor.payments.claimableBalances.enabled,
    },
  };
}

/** {@link infoOf}, made anew only for another anchor or another answer about the hook. */
export function keepInfo(): typeof infoOf {
  let kept: { readonly anchor: object; readonly hasFeeHook: boolean; readonly info: Info } | undefined;
  return (anchor, hasFeeHook) => {
    if (kept?.anchor !== anchor || kept.hasFeeHook !== hasFeeHook) {
      kept = { anchor, hasFeeHook, info: infoOf(anchor, hasFeeHook) };
    }
    return kept.info;
  };
}

const toNumber = (amount: Stroops): number => Number(formatAmount(amount));

function entryOf(asset: Asset, kind: Kind, hasFeeHook: boolean): InfoEntry {
  const direction = asset[kind];
  if (!direction.enabled) return { enabled: false };
  return {
    enabled: true,
    min_amount: toNumber(leastAmount(asset, kind)),
    ...(direction.max !== undefined && { max_amount: toNumber(direction.max) }),
    ...(!hasFeeHook && {
      fee_fixed: toNumber(direction.fee.fixed),
      fee_percent: Number(direction.fee.percent),
    }),
  };
}
