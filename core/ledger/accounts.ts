import { formatAmount, MAX_STROOPS } from '../transaction/amount.ts';
import type { Stroops } from '../transaction/amount.ts';
import type { AssetId, LedgerAccount, LedgerBalance } from './types.ts';

/** Why an account cannot be paid; the names are stable, for the journal and for support. */
export type Violation =
  'own_account' | 'issuer' | 'no_account' | 'memo_required' | 'no_trustline' | 'not_authorized' | 'line_full';

export interface PaymentIntent {
  /** G… of the destination (of the base account, if it is muxed). */
  destination: string;
  assetId: AssetId;
  amount: Stroops;
  /** The payment carries a memo, or goes to an M… address (SEP-29 asks for a memo only of those that go to G…). */
  hasMemo: boolean;
  /** Every distribution, channel and signing account of this anchor. */
  ownAccounts: ReadonlySet<string>;
}

export type DestinationCheck = { ok: true } | { ok: false; reason: Violation; message: string };

type Check = (account: LedgerAccount | undefined, intent: PaymentIntent) => [Violation, string] | undefined;

const isOurs: Check = (_, { destination, ownAccounts }) =>
  ownAccounts.has(destination)
    ? [
        'own_account',
        'The destination is one of our own accounts; a payment to it would look like a deposit.',
      ]
    : undefined;

/** Paying an issuer destroys its tokens. */
const isIssuer: Check = (_, { destination, assetId }) =>
  issuerOf(assetId) === destination
    ? [
        'issuer',
        `The destination is the issuer of ${codeOf(assetId)}: a payment to it would burn the amount.`,
      ]
    : undefined;

const exists: Check = (account, { destination }) =>
  account ? undefined : ['no_account', `The account ${destination} does not exist on the ledger.`];

const hasNeededMemo: Check = (account, { hasMemo }) =>
  account?.memoRequired && !hasMemo
    ? ['memo_required', 'The destination accepts payments only with a memo (SEP-29), and this one has none.']
    : undefined;

const trusts: Check = (account, { assetId }) =>
  balanceOf(account, assetId)
    ? undefined
    : ['no_trustline', `The destination has no trustline for ${codeOf(assetId)}.`];

const isAuthorized: Check = (account, { assetId }) =>
  balanceOf(account, assetId)?.isAuthorized
    ? undefined
    : ['not_authorized', `The issuer has not authorised the destination to hold ${codeOf(assetId)}.`];

const hasRoom: Check = (account, { assetId, amount }) => {
  const balance = balanceOf(account, assetId);
  const room = balance ? roomOf(balance) : 0n;
  return amount <= room
    ? undefined
    : [
        'line_full',
        `The destination has room for ${formatAmount(room)} ${codeOf(assetId)}, not ${formatAmount(amount)}.`,
      ];
};

/** In this order: what never changes, what is ours to refuse, then what the customer can repair. */
const POLICY: readonly Check[] = [isOurs, isIssuer, exists, hasNeededMemo, trusts, isAuthorized, hasRoom];

/**
 * What stands against paying `account` (the look-up of `intent.destination`), before a fee is spent (design 6.10).
 * Refunds obey the same checks. Pure: the first violation decides.
 */
export function checkDestination(
  account: LedgerAccount | undefined,
  intent: PaymentIntent,
): DestinationCheck {
  for (const check of POLICY) {
    const violation = check(account, intent);
    if (violation) return { ok: false, reason: violation[0], message: violation[1] };
  }
  return { ok: true };
}

export function balanceOf(account: LedgerAccount | undefined, assetId: AssetId): LedgerBalance | undefined {
  return account?.balances.find((balance) => balance.assetId === assetId);
}

/** How much more a balance may receive: limit − balance − buying liabilities (for XLM up to int64). */
export function roomOf({ limit = MAX_STROOPS, balance, buyingLiabilities }: LedgerBalance): Stroops {
  const room = limit - balance - buyingLiabilities;
  return room > 0n ? room : 0n;
}

/** How much of a balance may be sent; of XLM the reserve is not counted here. */
export function spendableOf({ balance, sellingLiabilities }: LedgerBalance): Stroops {
  return balance - sellingLiabilities;
}

/**
 * XLM that an account must keep: (2 + subentries + sponsoring − sponsored) base reserves
 * (developers.stellar.org, "Minimum balance").
 */
export function minimumBalance(
  account: Pick<LedgerAccount, 'subentryCount' | 'numSponsoring' | 'numSponsored'>,
  baseReserve: Stroops,
): Stroops {
  return BigInt(2 + account.subentryCount + account.numSponsoring - account.numSponsored) * baseReserve;
}

/** G… of an asset's issuer; undefined for `native`. */
export function issuerOf(assetId: AssetId): string | undefined {
  return assetId.split(':')[1];
}

/** `XLM`, or the asset's code. */
export function codeOf(assetId: AssetId): string {
  return assetId === 'native' ? 'XLM' : (assetId.split(':')[0] ?? assetId);
}
