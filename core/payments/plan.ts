import type { Transfer } from '../database/repositories/transfers.ts';
import { balanceOf, minimumBalance, spendableOf } from '../ledger/accounts.ts';
import type { PaymentTransaction } from '../ledger/envelope.ts';
import type { FeeStats, LedgerAccount } from '../ledger/types.ts';
import type { Stroops } from '../transaction/amount.ts';

/** The protocol's reserve per entry, 0.5 XLM. */
const BASE_RESERVE: Stroops = 5_000_000n;
/** Kept for fees above the reserve: 0.1 XLM. */
const FEE_CUSHION: Stroops = 1_000_000n;
const MIN_BID: Stroops = 100n;

/**
 * What rides in the next ledger transaction of one account: the first transfer that is due, alone if it needs a memo of
 * its own (a transaction has one memo), else with all others that need none.
 */
export function nextBatch(due: readonly Transfer[]): readonly Transfer[] {
  const [first] = due;
  if (!first) return [];
  return first.memo === null ? due.filter((transfer) => transfer.memo === null) : [first];
}

/**
 * Parts transfers into those that the account can pay together and those that it cannot; a large one that does not fit
 * holds up no smaller one behind it.
 */
export function trimToFunds(
  transfers: readonly Transfer[],
  account: LedgerAccount,
): { readonly affordable: readonly Transfer[]; readonly short: readonly Transfer[] } {
  const left = new Map<string, Stroops>();
  const available = (assetId: string): Stroops => {
    const balance = balanceOf(account, assetId);
    if (!balance) return 0n;
    const reserve = assetId === 'native' ? minimumBalance(account, BASE_RESERVE) + FEE_CUSHION : 0n;
    return spendableOf(balance) - reserve;
  };
  const affordable: Transfer[] = [];
  const short: Transfer[] = [];
  for (const transfer of transfers) {
    const rest = (left.get(transfer.assetId) ?? available(transfer.assetId)) - transfer.amount;
    if (rest < 0n) {
      short.push(transfer);
    } else {
      affordable.push(transfer);
      left.set(transfer.assetId, rest);
    }
  }
  return { affordable, short };
}

/** What an operation bids: the going rate while ledgers are busy, the minimum otherwise, never more than the cap. */
export function bidFor(stats: FeeStats, maxFee: Stroops): Stroops {
  const going = stats.ledgerCapacityUsage > 0.5 ? stats.feeCharged.p90 : stats.lastLedgerBaseFee;
  const bid = going > MIN_BID ? going : MIN_BID;
  return bid < maxFee ? bid : maxFee;
}

export function toOperation({
  amount,
  assetId,
  destination,
  operation,
}: Transfer): PaymentTransaction['operations'][number] {
  return operation === 'createAccount'
    ? { kind: 'createAccount', destination, amount }
    : { kind: 'payment', destination, assetId, amount };
}
