import { balanceOf, minimumBalance } from '../ledger/accounts.ts';
import { MAX_OPERATIONS } from '../ledger/limits.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import type { Anchor } from '../spec/anchor.ts';
import type { Stroops } from '../transaction/amount.ts';
import { distributionAccounts } from './context.ts';
import { BASE_RESERVE } from './plan.ts';

/**
 * New channels in one ledger transaction: each signs once, the distribution account signs too, and an envelope holds 20
 * signatures.
 */
export const MAX_NEW_CHANNELS = 19;
/** Top-ups that still fit behind the two operations of each new channel. */
const MAX_TOP_UPS = MAX_OPERATIONS - 2 * MAX_NEW_CHANNELS;
/** Merges a pass: each is a ledger transaction of its own. */
const MAX_RETIRED = 20;
/** Full submissions that a channel can pay the fees of when it was just filled. */
const FILL = 3n;
/** Of one submission, however much the anchor allows an operation to bid: 10 XLM. */
const MOST_FEE: Stroops = 100_000_000n;
/** A channel's entries: the account and its one signer. */
const CHANNEL_RESERVE = minimumBalance({ subentryCount: 1, numSponsoring: 0, numSponsored: 0 }, BASE_RESERVE);

/**
 * Whether an account is a channel of `distribution`: only that key can sign for it, it holds nothing but XLM, and it can be
 * merged. Whoever made it, it is ours, because nobody else can ever move it; an account that merely lists our key is not.
 */
export function isChannelOf(account: LedgerAccount, distribution: string): boolean {
  const [signer, ...others] = account.signers.filter(({ weight }) => weight > 0);
  if (!signer || others.length > 0 || account.id === distribution) return false;
  const { low, medium, high } = account.thresholds;
  return (
    signer.key === distribution &&
    signer.type === 'ed25519_public_key' &&
    Math.max(low, medium, high) <= signer.weight &&
    account.subentryCount === 1 &&
    account.numSponsoring === 0 &&
    !account.flags.authImmutable
  );
}

/** The channels of a distribution account among the accounts that list its key, always in the same order. */
export function channelsOf(
  accounts: readonly LedgerAccount[],
  distribution: string,
  anchor: Pick<Anchor, 'assets'>,
): readonly LedgerAccount[] {
  const hotWallets = new Set(distributionAccounts(anchor));
  return accounts
    .filter((account) => !hotWallets.has(account.id) && isChannelOf(account, distribution))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The XLM of a channel above its reserve: what it can pay fees from. */
export function fuelOf(channel: LedgerAccount): Stroops {
  return (balanceOf(channel, 'native')?.balance ?? 0n) - minimumBalance(channel, BASE_RESERVE);
}

export interface ChannelPlan {
  readonly create: number;
  /** XLM that each new channel starts with, in stroops. */
  readonly startingBalance: Stroops;
  readonly topUp: readonly { readonly account: string; readonly amount: Stroops }[];
  readonly retire: readonly LedgerAccount[];
  /** XLM that the distribution account lacks for all this, in stroops; 0 when it is enough. */
  readonly missing: Stroops;
}

/**
 * The next step from the channels that exist to those that are wanted, within the limits of one ledger transaction and the
 * distribution account's XLM; empty once everything is as it should be. Pure.
 *
 * @param existing as {@link channelsOf} answers them; the first `wanted` are kept
 * @param maxFee stroops that an operation may bid
 * @param available stroops that the distribution account can spend
 */
export function planChannels(
  existing: readonly LedgerAccount[],
  {
    wanted,
    maxFee,
    available,
  }: { readonly wanted: number; readonly maxFee: Stroops; readonly available: Stroops },
): ChannelPlan {
  const dearest = BigInt(MAX_OPERATIONS) * maxFee;
  const fuel = dearest < MOST_FEE ? dearest : MOST_FEE;
  const startingBalance = CHANNEL_RESERVE + FILL * fuel;
  let left = available;
  let missing = 0n;
  const pay = (amount: Stroops): boolean => {
    if (left < amount) missing += amount - (left > 0n ? left : 0n);
    else left -= amount;
    return missing === 0n;
  };
  const topUp = existing
    .slice(0, wanted)
    .map((channel) => ({ account: channel.id, fuel: fuelOf(channel) }))
    .filter((channel) => channel.fuel < fuel)
    .map(({ account, fuel: rest }) => ({ account, amount: FILL * fuel - rest }))
    .slice(0, MAX_TOP_UPS)
    .filter(({ amount }) => pay(amount));
  let create = 0;
  const lacking = Math.min(wanted - existing.length, MAX_NEW_CHANNELS);
  while (create < lacking && pay(startingBalance)) create += 1;
  return { create, startingBalance, topUp, retire: existing.slice(wanted, wanted + MAX_RETIRED), missing };
}
