import type { InFlight } from '../database/repositories/submissions.ts';
import type { Transfer } from '../database/repositories/transfers.ts';
import { balanceOf, minimumBalance, spendableOf } from '../ledger/accounts.ts';
import type { PaymentTransaction } from '../ledger/envelope.ts';
import { MAX_OPERATIONS } from '../ledger/limits.ts';
import type { FeeStats, LedgerAccount } from '../ledger/types.ts';
import type { Stroops } from '../transaction/amount.ts';

/** The protocol's reserve per entry, 0.5 XLM. */
export const BASE_RESERVE: Stroops = 5_000_000n;
/** Lent by the distribution account for what it lays to be claimed: one for each claimant, the customer and itself. */
export const CLAIMABLE_RESERVE: Stroops = 2n * BASE_RESERVE;
/** Kept for fees above the reserve: 0.1 XLM. */
const FEE_CUSHION: Stroops = 1_000_000n;
const MIN_BID: Stroops = 100n;

/**
 * What rides in the next ledger transactions, one for each free source, oldest first: transfers without a memo together,
 * up to a transaction's limit; one with a memo of its own alone (a transaction has one memo), and so one whose operation
 * failed before for what no look-up can tell, lest it fails the others again.
 */
export function planBatches<
  T extends Pick<Transfer, 'memo'> & Partial<Pick<Transfer, 'operation' | 'attempts'>>,
>(due: readonly T[], free: number): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let open: T[] | undefined;
  for (const transfer of due) {
    const isShared = transfer.memo === null && !mayFailAgain(transfer);
    if (isShared && open && open.length < MAX_OPERATIONS) {
      open.push(transfer);
      continue;
    }
    if (batches.length >= free) continue;
    const batch = [transfer];
    batches.push(batch);
    if (isShared) open = batch;
  }
  return batches;
}

/** What is laid to be claimed fails for want of a reserve, and what is taken back when it is not time: all with it. */
function mayFailAgain({
  operation,
  attempts = 0,
}: Partial<Pick<Transfer, 'operation' | 'attempts'>>): boolean {
  return attempts > 0 && (operation === 'createClaimableBalance' || operation === 'claimClaimableBalance');
}

/** affordable: taken off what is left. later: something in flight may need it. short: the account does not have it. */
export type Affordability = 'affordable' | 'later' | 'short';

/**
 * What an account can still pay, taken off transfer by transfer; a large one that does not fit holds up no smaller one
 * behind it.
 *
 * @param inFlight what submissions may take that are not settled; to be read before the account is
 */
export function fundsOf(
  account: LedgerAccount,
  inFlight: Pick<InFlight, 'amounts' | 'claimables'>,
): (transfer: Needy) => Affordability {
  const taken = new Map<string, Stroops>();
  const underWay = (assetId: string): Stroops =>
    (inFlight.amounts.get(assetId) ?? 0n) +
    (assetId === 'native' ? BigInt(inFlight.claimables) * CLAIMABLE_RESERVE : 0n);
  return (transfer) => {
    const needs = needsOf(transfer);
    const left = [...needs].map(([assetId, amount]) => ({
      amount: availableOf(account, assetId) - (taken.get(assetId) ?? 0n) - amount,
      underWay: underWay(assetId),
    }));
    if (left.some(({ amount }) => amount < 0n)) return 'short';
    if (left.some((one) => one.amount < one.underWay)) return 'later';
    for (const [assetId, amount] of needs) taken.set(assetId, (taken.get(assetId) ?? 0n) + amount);
    return 'affordable';
  };
}

type Needy = Pick<Transfer, 'assetId' | 'amount' | 'purpose' | 'operation'>;

/** By asset id, what a transfer takes off its account; what is laid to be claimed binds XLM besides. */
function needsOf({ assetId, amount, purpose, operation }: Needy): ReadonlyMap<string, Stroops> {
  const needs = new Map<string, Stroops>();
  if (purpose === 'reclaim') return needs;
  needs.set(assetId, amount);
  if (operation === 'createClaimableBalance')
    needs.set('native', (needs.get('native') ?? 0n) + CLAIMABLE_RESERVE);
  return needs;
}

/** What may be sent of an asset; of XLM what lies above the reserve and a cushion for fees. */
export function availableOf(account: LedgerAccount, assetId: string): Stroops {
  const balance = balanceOf(account, assetId);
  if (!balance) return 0n;
  const reserve = assetId === 'native' ? minimumBalance(account, BASE_RESERVE) + FEE_CUSHION : 0n;
  return spendableOf(balance) - reserve;
}

/**
 * What gets an operation in now, in stroops: the base fee, or while ledgers are busy a tenth above what most others pay (an
 * equal bid does not displace theirs). What is charged is only what the cheapest in the ledger bids.
 */
export function goingRate(stats: FeeStats): Stroops {
  const { p90 } = stats.feeCharged;
  return stats.ledgerCapacityUsage > 0.5 ? p90 + (p90 + 9n) / 10n : stats.lastLedgerBaseFee;
}

/** What an operation bids: what gets it in, never more than the cap. */
export function bidFor(stats: FeeStats, maxFee: Stroops): Stroops {
  const going = goingRate(stats);
  const bid = going > MIN_BID ? going : MIN_BID;
  return bid < maxFee ? bid : maxFee;
}

/**
 * The operation that pays a transfer; it names its own source, because a channel may lend the transaction's.
 *
 * @param reclaimAt seconds since the epoch from when on what its customer has not claimed may be taken back
 */
export function toOperation(
  { amount, assetId, destination, operation, source, claimableBalanceId }: Transfer,
  reclaimAt: bigint,
): PaymentTransaction['operations'][number] {
  switch (operation) {
    case 'createAccount':
      return { kind: operation, source, destination, amount };
    case 'createClaimableBalance':
      // The customer at any time; we ourselves, once it is time.
      return {
        kind: operation,
        source,
        assetId,
        amount,
        claimants: [{ account: destination }, { account: source, from: reclaimAt }],
      };
    case 'claimClaimableBalance':
      return { kind: operation, source, amount, balanceId: claimableBalanceId ?? '' };
    default:
      return { kind: 'payment', source, destination, assetId, amount };
  }
}
