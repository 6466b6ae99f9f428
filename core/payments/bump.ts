import { journalBump, newestBump } from '../database/repositories/bumps.ts';
import { journalMarks } from '../database/repositories/journal.ts';
import type { SubmissionClaim } from '../database/repositories/submissions.ts';
import type { Signer } from '../keys/ed25519.ts';
import { buildFeeBump, FEE_BUMP_FACTOR, signEnvelope } from '../ledger/envelope.ts';
import type { FeeStats, LedgerClose, SubmitOutcome } from '../ledger/types.ts';
import type { Stroops } from '../transaction/amount.ts';
import type { PaymentContext } from './context.ts';
import { goingRate } from './plan.ts';
import { VALIDITY_S } from './round.ts';

/** Ledgers that closed within this time of the envelope may simply not have seen it. */
const PATIENCE_MS = 2_000;

/**
 * What a submission that does not get in has to bid, per operation, to replace itself in the queue: at least ten times its
 * last bid (the network's rule), and what others pay. Undefined while it is not outbid, and where that is above the cap:
 * then it waits until it ages out, and is built anew. Pure.
 *
 * @param bid the last one, in stroops per operation
 * @param cap the spec's `payments.maxFeeStroops`
 */
export function bumpBid(stats: FeeStats, bid: Stroops, cap: Stroops): Stroops | undefined {
  const going = goingRate(stats);
  if (going <= bid) return undefined;
  const least = bid * FEE_BUMP_FACTOR;
  if (least > cap) return undefined;
  const wanted = going > least ? going : least;
  return wanted < cap ? wanted : cap;
}

/**
 * Sends a submission that is within its time bounds: as it is, by its newest fee bump, or by a new one that is journalled
 * first. Whichever the ledger applies, it is the same transaction by its inner hash.
 *
 * @param close the newest ledger
 */
export async function sendSubmission(
  context: PaymentContext,
  claimed: SubmissionClaim,
  close: LedgerClose,
): Promise<SubmitOutcome> {
  const { database, horizon } = context;
  const { envelope, hash, attempts, id, maxTime } = claimed.row;
  const ledgerAgeMs = close.closedAtMs - (Number(maxTime) - VALIDITY_S) * 1000;
  if (attempts <= 1 || ledgerAgeMs < PATIENCE_MS) return horizon.submit(envelope, { hash });
  const bump = (await bumpIfOutbid(context, claimed)) ?? (await newestBump(database, id));
  if (!bump) return horizon.submit(envelope, { hash });
  const outcome = await horizon.submit(bump.envelope, { hash: bump.hash });
  // Refused, for lack of XLM say: then the plain one has to do.
  return outcome.kind === 'error' ? horizon.submit(envelope, { hash }) : outcome;
}

async function bumpIfOutbid(
  context: PaymentContext,
  claimed: SubmissionClaim,
): Promise<{ readonly envelope: string; readonly hash: string } | undefined> {
  const { database, horizon, anchor, ending, log } = context;
  const { id, hash, source, envelope, feeBidPerOperation } = claimed.row;
  const stats = await horizon.feeStats();
  const cap = anchor.payments.maxFeeStroops;
  if (goingRate(stats) <= feeBidPerOperation) return undefined;
  const last = (await newestBump(database, id))?.feeBidPerOperation ?? feeBidPerOperation;
  const bid = bumpBid(stats, last, cap);
  const signer = await signerFor(context, source);
  if (bid === undefined || !signer || ending?.aborted) return undefined;
  const { passphrase } = anchor.network;
  const built = buildFeeBump({
    innerEnvelope: envelope,
    feeSource: source,
    feePerOperation: bid,
    passphrase,
  });
  const bump = { ...signEnvelope(built.envelope, passphrase, [signer]), feeBidPerOperation: bid };
  await database.transaction().execute((trx) => journalBump(trx, claimed, bump));
  log.info(
    { submission: hash, bump: bump.hash, bid: String(bid), last: String(last) },
    'ledgers are full: a submission is replaced by a dearer one',
  );
  return bump;
}

/** The key that signs for a source account: its own, or the one of the distribution account whose channel it is. */
async function signerFor({ database, signers }: PaymentContext, source: string): Promise<Signer | undefined> {
  const own = signers.get(source);
  if (own) return own;
  const mark = (await journalMarks(database, [source])).get(source);
  return mark && signers.get(mark.distribution);
}
