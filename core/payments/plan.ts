import type { Transfer } from '../database/repositories/transfers.ts';
import { balanceOf, minimumBalance, spendableOf } from '../ledger/accounts.ts';
import type { PaymentTransaction } from '../ledger/envelope.ts';
import { MAX_OPERATIONS } from '../ledger/limits.ts';
import type { FeeStats, LedgerAccount } from '../ledger/types.ts';
import type { Stroops } from '../transaction/amount.ts';

/** The protocol's reserve per entry, 0.5 XLM. */
export const BASE_RESERVE: Stroops = 5_000_000n;
/** Kept for fees above the reserve: 0.1 XLM. */
const FEE_CUSHION: Stroops = 1_000_000n;
const MIN_BID: Stroops = 100n;

/**
 * What rides in the next ledger transactions, one for each free source, oldest first: transfers without a memo together,
 * up to a transaction's limit; one with a memo of its own alone (a transaction has one memo).
 */
export function planBatches<T extends Pick<Transfer, 'memo'>>(
  due: readonly T[],
  free: number,
): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let open: T[] | undefined;
  for (const transfer of due) {
    const isShared = transfer.memo === null;
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

/** affordable: taken off what is left. later: something in flight may need it. short: the account does not have it. */
export type Affordability = 'affordable' | 'later' | 'short';

/**
 * What an account can still pay, taken off transfer by transfer; a large one that does not fit holds up no smaller one
 * behind it.
 *
 * @param inFlight by asset id, what submissions may take that are not settled; to be read before the account is
 */
export function fundsOf(
  account: LedgerAccount,
  inFlight: ReadonlyMap<string, Stroops>,
): (transfer: Pick<Transfer, 'assetId' | 'amount' | 'purpose'>) => Affordability {
  const taken = new Map<string, Stroops>();
  return ({ assetId, amount, purpose }) => {
    if (purpose === 'reclaim') return 'affordable';
    const soFar = taken.get(assetId) ?? 0n;
    const left = availableOf(account, assetId) - soFar - amount;
    if (left < 0n) return 'short';
    if (left < (inFlight.get(assetId) ?? 0n)) return 'later';
    taken.set(assetId, soFar + amount);
    return 'affordable';
  };
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
