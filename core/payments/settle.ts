import { postpone } from '../database/claim.ts';
import { createLostClaims, postponeOrNote } from '../database/lost-claims.ts';
import {
  claimSeen,
  claimSubmissions,
  hastenSubmissions,
  pendingHashes,
  type SubmissionClaim,
} from '../database/repositories/submissions.ts';
import type { LedgerClose, LedgerTransaction, SubmitOutcome } from '../ledger/types.ts';
import { sendSubmission } from './bump.ts';
import type { LedgerContext, PaymentContext } from './context.ts';
import { proveExpiry } from './expiry.ts';
import { recordExpiry, recordOutcomes } from './outcome.ts';
import { alarmUnproven } from './unproven.ts';

/** Longer than any single step with the ledger, so that a lease only ends under a process that died. */
const LEASE_MS = 60_000;
const FIRST_LOOK_MS = 600;

/**
 * Claims submissions that are due; each is a job that takes one a step on (sends it, looks it up, or proves that it can
 * never be applied) and throws only what kept it from being given back, which is noted then. Safe with any number of processes.
 */
export async function takeSubmissions(
  context: PaymentContext,
  limit: number,
): Promise<readonly (() => Promise<void>)[]> {
  const { database, lost } = context;
  const claims = await claimSubmissions(database, limit, LEASE_MS, lost);
  return claims.map((claimed) => async () => {
    try {
      await settleOne(context, claimed);
    } catch (error) {
      context.log.warn({ err: error, submission: claimed.row.hash }, 'a submission could not be settled yet');
      await postponeOrNote(context, 'submission', claimed, { delayMs: delayOf(claimed), leaseMs: LEASE_MS });
    }
  });
}

/** What the network has queued is settled by the stream; a look is for when that is silent. */
const QUEUED_MS = 8_000;

/** Until the next step: soon for what is not known to be queued. */
function afterSending(claimed: SubmissionClaim, outcome: SubmitOutcome): number {
  const isQueued = outcome.kind === 'pending' || outcome.kind === 'duplicate';
  return isQueued && claimed.row.attempts === 1 ? QUEUED_MS : delayOf(claimed);
}

/** Back-off of looks at one submission: soon at first, every five seconds in the end. */
function delayOf(claimed: SubmissionClaim): number {
  return Math.min(FIRST_LOOK_MS * 1.5 ** Math.min(claimed.row.attempts - 1, 10), 5_000);
}

async function settleOne(context: PaymentContext, claimed: SubmissionClaim): Promise<void> {
  const { horizon, log } = context;
  const { hash, maxTime } = claimed.row;
  // The first time nobody can have applied it: it was journalled a moment ago and never sent.
  const found = claimed.row.attempts > 1 ? await horizon.transaction(hash) : undefined;
  if (found) return recordOutcomes(context, [{ claimed, found }]);
  const close = await horizon.latestLedger();
  if (close.closedAtMs <= Number(maxTime) * 1000) {
    const outcome = await sendSubmission(context, claimed, close);
    if (outcome.kind === 'error') {
      log.error(
        { submission: hash, codes: outcome.resultCodes, reason: outcome.reason },
        'the network refuses a submission; it is kept until it is proven dead',
      );
      // Somebody may have taken its sequence number: then there is nothing to wait for.
      if (outcome.resultCodes?.transaction === 'tx_bad_seq') return prove(context, claimed, close);
    } else log.debug({ submission: hash, outcome: outcome.kind, reason: outcome.reason }, 'submitted');
    return postpone(context.database, 'submission', claimed, afterSending(claimed, outcome));
  }
  return prove(context, claimed, close);
}

/** Finds the submission, or proves that it can never be applied any more, or leaves it for later. */
async function prove(context: PaymentContext, claimed: SubmissionClaim, close: LedgerClose): Promise<void> {
  const { horizon, log } = context;
  const proof = await proveExpiry(horizon, claimed.row);
  const { hash } = claimed.row;
  log.info({ submission: hash, proof: proof.kind, why: proof.why }, 'what became of a submission');
  if (proof.kind === 'found') return recordOutcomes(context, [{ claimed, found: proof.transaction }]);
  if (proof.kind === 'dead') return recordExpiry(context, claimed, proof.why);
  await alarmUnproven(context, claimed, close, proof.why);
  return postpone(context.database, 'submission', claimed, delayOf(claimed));
}

/** Operations settled in one go: the first channels are free again while the rest is written down. */
const SEEN_OPERATIONS = 500;

/** Looks again at those that somebody was at work on (their sending is being written down), and the pause between. */
const SEEN_TRIES = 4;
const SEEN_PAUSE_MS = 50;

/**
 * Settles those of our submissions that are among these ledger transactions, without asking the ledger again; answers how
 * many. Those that somebody stays at work on are only made due.
 */
export async function settleSeen(
  context: LedgerContext,
  transactions: readonly LedgerTransaction[],
): Promise<number> {
  let settled = 0;
  for (const part of partsOf(transactions)) settled += await settlePart(context, part);
  return settled;
}

function partsOf(transactions: readonly LedgerTransaction[]): readonly (readonly LedgerTransaction[])[] {
  const parts: LedgerTransaction[][] = [];
  let operations = Infinity;
  for (const transaction of transactions) {
    if (operations + transaction.operationCount > SEEN_OPERATIONS) {
      parts.push([]);
      operations = 0;
    }
    operations += transaction.operationCount;
    parts.at(-1)?.push(transaction);
  }
  return parts;
}

async function settlePart(
  context: LedgerContext,
  transactions: readonly LedgerTransaction[],
): Promise<number> {
  const byHash = new Map(
    transactions.flatMap((one) => [one.hash, one.innerHash ?? one.hash].map((hash) => [hash, one] as const)),
  );
  let settled = 0;
  for (let attempt = 1; byHash.size > 0 && attempt <= SEEN_TRIES; attempt++) {
    if (attempt > 1) await context.clock.sleep(SEEN_PAUSE_MS);
    settled += await settleFree(context, byHash);
    const pending = await pendingHashes(context.database, [...byHash.keys()]);
    for (const hash of byHash.keys()) if (!pending.has(hash)) byHash.delete(hash);
  }
  if (byHash.size > 0) {
    await hastenSubmissions(context.database, [...byHash.keys()]);
    context.wake?.('submissions');
  }
  return settled;
}

/** Of these, those that nobody is at work on. */
async function settleFree(
  context: LedgerContext,
  byHash: ReadonlyMap<string, LedgerTransaction>,
): Promise<number> {
  const { database, log, clock } = context;
  const lost = context.lost ?? createLostClaims(clock);
  const claims = await claimSeen(database, [...byHash.keys()], LEASE_MS, lost);
  const findings = claims.flatMap((claimed) => {
    const found = byHash.get(claimed.row.hash);
    return found ? [{ claimed, found }] : [];
  });
  try {
    await recordOutcomes(context, findings);
    return findings.length;
  } catch (error) {
    log.warn({ err: error, submissions: findings.length }, 'submissions could not be settled yet');
    const again = { table: 'submission', leaseMs: LEASE_MS } as const;
    lost.note(
      ...claims.map(({ row, token }) => ({ ...again, id: row.id, token, delayMs: delayOf({ row, token }) })),
    );
    await lost.giveBack(database);
    return 0;
  }
}
