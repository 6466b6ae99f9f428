import { createHash } from 'node:crypto';
import { Keypair, xdr } from '@stellar/stellar-sdk';
import { AUTH_CLAWBACK_ENABLED, canReserve } from '../state/entries.ts';
import type { Claimant, ClaimableBalance } from '../state/entries.ts';
import { isValidAsset, readAsset } from '../wire/asset.ts';
import { hex, readAccountId } from '../wire/primitives.ts';
import { SUCCESS } from '../wire/result.ts';
import { credit, debit } from './balances.ts';
import { fail } from './operation.ts';
import type { ApplyContext, OperationHandler } from './operation.ts';

const MAX_CLAIMANTS = 10;
const MAX_PREDICATE_DEPTH = 4;
const MAX_INT64 = 9_223_372_036_854_775_807n;

function children(predicate: xdr.ClaimPredicate): readonly (xdr.ClaimPredicate | null)[] {
  if (predicate.type === 'claimPredicateAnd') return predicate.andPredicates;
  if (predicate.type === 'claimPredicateOr') return predicate.orPredicates;
  return predicate.type === 'claimPredicateNot' ? [predicate.notPredicate] : [];
}

function isValidPredicate(predicate: xdr.ClaimPredicate | null, depth = 1): boolean {
  if (predicate === null || depth > MAX_PREDICATE_DEPTH) return false;
  if (predicate.type === 'claimPredicateBeforeAbsoluteTime') return predicate.absBefore >= 0n;
  if (predicate.type === 'claimPredicateBeforeRelativeTime') return predicate.relBefore >= 0n;
  const below = children(predicate);
  const isPair = predicate.type === 'claimPredicateAnd' || predicate.type === 'claimPredicateOr';
  return (!isPair || below.length === 2) && below.every((child) => isValidPredicate(child, depth + 1));
}

/** The predicate with times that count from now made absolute, as the ledger stores it. */
function anchorPredicate(predicate: xdr.ClaimPredicate, closeTime: bigint): xdr.ClaimPredicate {
  const anchor = (child: xdr.ClaimPredicate): xdr.ClaimPredicate => anchorPredicate(child, closeTime);
  switch (predicate.type) {
    case 'claimPredicateAnd':
      return xdr.ClaimPredicate.claimPredicateAnd(predicate.andPredicates.map(anchor));
    case 'claimPredicateOr':
      return xdr.ClaimPredicate.claimPredicateOr(predicate.orPredicates.map(anchor));
    case 'claimPredicateNot':
      return predicate.notPredicate === null
        ? predicate
        : xdr.ClaimPredicate.claimPredicateNot(anchor(predicate.notPredicate));
    case 'claimPredicateBeforeRelativeTime': {
      const time = closeTime + predicate.relBefore;
      return xdr.ClaimPredicate.claimPredicateBeforeAbsoluteTime(time > MAX_INT64 ? MAX_INT64 : time);
    }
    default:
      return predicate;
  }
}

/** Whether a stored predicate holds at a ledger's close time (Unix seconds). */
export function isMet(predicate: xdr.ClaimPredicate, closeTime: bigint): boolean {
  switch (predicate.type) {
    case 'claimPredicateUnconditional':
      return true;
    case 'claimPredicateAnd':
      return predicate.andPredicates.every((child) => isMet(child, closeTime));
    case 'claimPredicateOr':
      return predicate.orPredicates.some((child) => isMet(child, closeTime));
    case 'claimPredicateNot':
      return predicate.notPredicate !== null && !isMet(predicate.notPredicate, closeTime);
    case 'claimPredicateBeforeAbsoluteTime':
      return closeTime < predicate.absBefore;
    case 'claimPredicateBeforeRelativeTime':
      return false;
  }
}

/** The id follows from the transaction's source and sequence and the operation's place (CAP-23). */
function balanceHash({ transaction, index }: ApplyContext): Buffer {
  const preimage = xdr.HashIdPreimage.envelopeTypeOpId(
    new xdr.HashIdPreimageOperationId({
      sourceAccount: Keypair.fromPublicKey(transaction.inner.source.account).xdrPublicKey(),
      seqNum: transaction.inner.sequence,
      opNum: index,
    }),
  );
  return createHash('sha256').update(preimage.toXdr()).digest();
}

function takeAmount(context: ApplyContext, body: xdr.CreateClaimableBalanceOp): string | null {
  const problem = debit(context.draft, context.source.id, readAsset(body.asset), body.amount);
  return problem === null ? null : `op_${problem}`;
}

function clawbackEnabled({ draft }: ApplyContext, body: xdr.CreateClaimableBalanceOp): boolean {
  const asset = readAsset(body.asset);
  const issuer = asset.type === 'native' ? null : draft.account(asset.issuer);
  return issuer !== null && (issuer.flags & AUTH_CLAWBACK_ENABLED) !== 0;
}

export const createClaimableBalance: OperationHandler<xdr.CreateClaimableBalanceOp> = {
  threshold: () => 'medium',
  check({ asset, amount, claimants }) {
    const destinations = new Set(claimants.map(({ v0 }) => readAccountId(v0.destination)));
    const wrong =
      amount <= 0n ||
      !isValidAsset(readAsset(asset)) ||
      claimants.length === 0 ||
      claimants.length > MAX_CLAIMANTS ||
      destinations.size !== claimants.length ||
      !claimants.every(({ v0 }) => isValidPredicate(v0.predicate));
    return wrong ? 'op_malformed' : null;
  },
  apply(body, context) {
    const { draft, source } = context;
    const { ledger, closeTime } = draft.time;
    const problem = takeAmount(context, body);
    if (problem !== null) return fail(problem);
    const sponsor = draft.account(source.id) ?? source;
    if (!canReserve(sponsor, body.claimants.length)) return fail('op_low_reserve');
    draft.putAccount({ ...sponsor, sponsoring: sponsor.sponsoring + body.claimants.length });
    const hash = balanceHash(context);
    const claimants = body.claimants.map(({ v0 }): Claimant => ({
      destination: readAccountId(v0.destination),
      predicate: anchorPredicate(v0.predicate, BigInt(closeTime)),
    }));
    draft.putClaimableBalance({
      id: `00000000${hex(hash)}`,
      asset: readAsset(body.asset),
      amount: body.amount,
      sponsor: source.id,
      claimants,
      clawbackEnabled: clawbackEnabled(context, body),
      lastModifiedLedger: ledger,
      lastModifiedTime: closeTime,
    });
    return { code: 'op_success', success: { balanceId: { type: 0, v0: hash } } };
  },
};

function release({ draft }: ApplyContext, balance: ClaimableBalance): void {
  draft.removeClaimableBalance(balance.id);
  const sponsor = draft.account(balance.sponsor);
  if (sponsor === null) return;
  draft.putAccount({ ...sponsor, sponsoring: sponsor.sponsoring - balance.claimants.length });
}

export const claimClaimableBalance: OperationHandler<xdr.ClaimClaimableBalanceOp> = {
  threshold: () => 'low',
  check: () => null,
  apply({ balanceId }, context) {
    const { draft, source } = context;
    const balance = draft.claimableBalance(`00000000${hex(balanceId.v0.value)}`);
    if (balance === null) return fail('op_does_not_exist');
    const claimant = balance.claimants.find(({ destination }) => destination === source.id);
    if (claimant === undefined || !isMet(claimant.predicate, BigInt(draft.time.closeTime))) {
      return fail('op_cannot_claim');
    }
    release(context, balance);
    const problem = credit(draft, source.id, balance.asset, balance.amount);
    return problem === null ? SUCCESS : fail(`op_${problem}`);
  },
};
