import { lastSubmissions } from '../database/repositories/submissions.ts';
import { MAX_OPERATIONS } from '../ledger/limits.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import type { Stroops } from '../transaction/amount.ts';
import { channelsOf, fuelOf } from './channels.ts';
import type { PaymentContext } from './context.ts';
import { freezeIfAhead } from './journal.ts';
import type { Lookups } from './lookups.ts';
import { bidFor } from './plan.ts';
import { signingProblem } from './signing-power.ts';

/** How long a submission may become part of the ledger, by the ledger's clock. */
export const VALIDITY_S = 60;

/** What every envelope of a round has in common. */
export interface Frame {
  /** Seconds since the epoch, by the ledger's clock. */
  readonly maxTime: bigint;
  readonly feePerOperation: Stroops;
}

export interface Round extends Frame {
  /** The distribution account: what the payments are made from. */
  readonly account: LedgerAccount;
  /** Accounts whose sequence numbers are free now, not empty: its channels, or itself while it has none. */
  readonly sources: readonly LedgerAccount[];
}

/** The distribution account as the ledger shows it, with its channels and what they are busy with. */
export interface HotWallet {
  readonly account: LedgerAccount;
  readonly channels: readonly LedgerAccount[];
  isBusy(source: LedgerAccount): boolean;
}

/**
 * missing: the distribution account does not exist. behind: this Horizon has not seen our last submissions yet; balances
 * and sequence numbers would be those of before. frozen: something was sent from it that the journal lacks (design 6.8).
 * unsignable: its key alone cannot sign payments.
 */
export type Unready = 'missing' | 'behind' | 'frozen' | 'unsignable';

/** Tells of an account that cannot be used. */
export function tellUnready({ log }: Pick<PaymentContext, 'log'>, account: string, why: Unready): void {
  if (why === 'missing')
    log.error({ account }, 'the distribution account does not exist on the ledger; fund it');
  else if (why === 'behind') log.debug({ account }, 'this Horizon has not seen our last submission yet');
  else if (why === 'unsignable')
    log.error({ account }, 'the key of this account alone cannot sign its payments: nothing is paid from it');
}

/** Reads a distribution account with its channels, or says why it cannot be used. */
export async function readHotWallet(
  context: PaymentContext,
  distribution: string,
  isAlone = false,
): Promise<HotWallet | Unready> {
  const listed = isAlone ? [] : await context.horizon.accountsWithSigner(distribution);
  return judgeHotWallet(context, distribution, listed);
}

/**
 * The same from a list that may be a ledger old, where that shows all that is settled; else from a new one. What a list does not
 * show makes it `behind`: so none of what has left the account since is taken for still there.
 */
async function readKnownWallet(
  context: PaymentContext,
  distribution: string,
  lookups: Pick<Lookups, 'accountsWithSigner'>,
): Promise<HotWallet | Unready> {
  const known = await lookups.accountsWithSigner(distribution);
  const wallet = await judgeHotWallet(context, distribution, known);
  // Sequence numbers only grow: what is ahead of the journal on an old list is so on a new one, and was acted upon.
  if (typeof wallet !== 'string' || wallet === 'frozen') return wallet;
  return judgeHotWallet(context, distribution, await lookups.accountsWithSigner(distribution, true));
}

/** @param listed the accounts that the distribution account's key can sign for, as far as they were asked for */
async function judgeHotWallet(
  context: PaymentContext,
  distribution: string,
  listed: readonly LedgerAccount[],
): Promise<HotWallet | Unready> {
  const { database, horizon, anchor } = context;
  // Strangers can list our key too: in a crowd of their accounts ours may be on a page that is not read.
  const account =
    listed.find(({ id }) => id === distribution) ?? (await horizon.account(distribution)).account;
  if (!account) return 'missing';
  if (signingProblem(account) !== undefined) return 'unsignable';
  const channels = channelsOf(listed, distribution, anchor);
  const last = await lastSubmissions(database, [distribution, ...channels.map(({ id }) => id)]);
  const isBehind = [account, ...channels].some(({ id, sequence }) => {
    const newest = last.get(id);
    return newest !== undefined && !newest.isPending && sequence < newest.sequence;
  });
  if (isBehind) return 'behind';
  if (await freezeIfAhead(context, distribution, [account, ...channels], last)) return 'frozen';
  return { account, channels, isBusy: ({ id }) => last.get(id)?.isPending ?? false };
}

/** The time bound and the fee of envelopes that are built now. */
export async function openFrame(
  { horizon, anchor }: PaymentContext,
  fees: Pick<Lookups, 'feeStats'> = horizon,
): Promise<Frame> {
  const [close, stats] = await Promise.all([horizon.latestLedger(), fees.feeStats()]);
  return {
    maxTime: BigInt(Math.floor(close.closedAtMs / 1000) + VALIDITY_S),
    feePerOperation: bidFor(stats, anchor.payments.maxFeeStroops),
  };
}

/** What a round of payments can use, or why it can use nothing: `busy` when all is in flight. */
export async function openRound(
  context: PaymentContext,
  distribution: string,
  lookups: Pick<Lookups, 'feeStats' | 'accountsWithSigner'>,
): Promise<Round | Unready | 'busy'> {
  const wanted = context.anchor.payments.channels;
  const wallet = await (wanted === 0
    ? readHotWallet(context, distribution, true)
    : readKnownWallet(context, distribution, lookups));
  if (typeof wallet === 'string') return wallet;
  const frame = await openFrame(context, lookups);
  const dearest = frame.feePerOperation * BigInt(MAX_OPERATIONS);
  // The others are surplus and about to be merged away.
  const usable = wallet.channels.slice(0, wanted).filter((channel) => fuelOf(channel) >= dearest);
  const sources = (usable.length > 0 ? usable : [wallet.account]).filter((source) => !wallet.isBusy(source));
  return sources.length > 0 ? { ...frame, account: wallet.account, sources } : 'busy';
}
