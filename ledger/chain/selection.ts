import type { Candidate } from '../apply/transaction.ts';
import { BASE_FEE } from '../network.ts';

/** Bids of others that compete for a ledger. */
export interface Surge {
  /** stroops per operation */
  readonly bidStroops: bigint;
  /** how many operations they fill */
  readonly operations: number;
}

export interface Selection {
  readonly included: readonly Candidate[];
  /** stroops per operation */
  readonly baseFee: bigint;
}

function bidPerOperation({ transaction }: Candidate): bigint {
  return transaction.maxFee / BigInt(transaction.feeOperations);
}

/**
 * Chooses what goes into a ledger: the best bids first, as long as there is room. If some found none, all pay the
 * lowest bid that got in; otherwise the base fee.
 * @param candidates the best bid first
 */
export function selectTransactions(
  candidates: readonly Candidate[],
  maxOperations: number,
  surge: Surge | null,
): Selection {
  const included: Candidate[] = [];
  let used = 0;
  let refused = false;
  for (const candidate of candidates) {
    const outbid = surge !== null && bidPerOperation(candidate) <= surge.bidStroops;
    const room = maxOperations - (outbid ? surge.operations : 0) - used;
    if (candidate.transaction.feeOperations <= room) {
      included.push(candidate);
      used += candidate.transaction.feeOperations;
    } else {
      refused = true;
    }
  }
  const filled = surge !== null && surge.operations + used >= maxOperations;
  const bids = [...included.map(bidPerOperation), ...(filled ? [surge.bidStroops] : [])];
  if ((!refused && !filled) || bids.length === 0) return { included, baseFee: BASE_FEE };
  const lowest = bids.reduce((least, bid) => (bid < least ? bid : least));
  return { included, baseFee: lowest > BASE_FEE ? lowest : BASE_FEE };
}
