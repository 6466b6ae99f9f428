import type { xdr } from '@stellar/stellar-sdk';
import { MAX_SUBENTRIES } from '../network.ts';
import {
  AUTH_CLAWBACK_ENABLED,
  AUTH_REQUIRED,
  AUTH_REVOCABLE,
  LINE_AUTHORIZED,
  LINE_CLAWBACK_ENABLED,
  LINE_MAINTAIN_LIABILITIES,
  canReserve,
  subentryCount,
} from '../state/entries.ts';
import type { Account, Trustline } from '../state/entries.ts';
import type { Draft } from '../state/draft.ts';
import { assetKey, isValidAsset, readAsset, readAssetCode, readTrustlineAsset } from '../wire/asset.ts';
import type { CreditAsset } from '../wire/asset.ts';
import { readAccountId } from '../wire/primitives.ts';
import { SUCCESS } from '../wire/result.ts';
import type { OperationOutcome } from '../wire/result.ts';
import { fail } from './operation.ts';
import type { OperationHandler } from './operation.ts';

const AUTHORIZATION = LINE_AUTHORIZED | LINE_MAINTAIN_LIABILITIES;

/** The flags that an issuer's settings give a new trustline. */
function initialFlags(issuer: Account): number {
  const authorized = (issuer.flags & AUTH_REQUIRED) === 0 ? LINE_AUTHORIZED : 0;
  return authorized | ((issuer.flags & AUTH_CLAWBACK_ENABLED) === 0 ? 0 : LINE_CLAWBACK_ENABLED);
}

function addLine(draft: Draft, source: Account, asset: CreditAsset, limit: bigint): OperationOutcome {
  if (limit === 0n) return fail('op_invalid_limit');
  const issuer = draft.account(asset.issuer);
  if (issuer === null) return fail('op_no_issuer');
  if (subentryCount(source) >= MAX_SUBENTRIES) return fail('op_too_many_subentries');
  if (!canReserve(source, 1)) return fail('op_low_reserve');
  const trustlines = new Map(source.trustlines);
  const line = {
    asset,
    balance: 0n,
    limit,
    flags: initialFlags(issuer),
    lastModifiedLedger: draft.time.ledger,
  };
  draft.putAccount({ ...source, trustlines: trustlines.set(assetKey(asset), line) });
  return SUCCESS;
}

function changeLine(draft: Draft, source: Account, line: Trustline, limit: bigint): OperationOutcome {
  const key = assetKey(line.asset);
  if (limit < line.balance) return fail('op_invalid_limit');
  if (limit === 0n) {
    const trustlines = new Map(source.trustlines);
    trustlines.delete(key);
    draft.putAccount({ ...source, trustlines });
    return SUCCESS;
  }
  if (draft.account(line.asset.issuer) === null) return fail('op_no_issuer');
  draft.putTrustline(source, key, { ...line, limit });
  return SUCCESS;
}

export const changeTrust: OperationHandler<xdr.ChangeTrustOp> = {
  threshold: () => 'medium',
  check({ line, limit }, sourceId) {
    const asset = readTrustlineAsset(line);
    if (asset === null) return 'op_not_supported';
    if (asset.type === 'native' || asset.issuer === sourceId) return 'op_malformed';
    return limit < 0n || !isValidAsset(asset) ? 'op_malformed' : null;
  },
  apply({ line, limit }, { draft, source }) {
    const asset = readTrustlineAsset(line);
    if (asset === null || asset.type === 'native') return fail('op_malformed');
    const existing = source.trustlines.get(assetKey(asset));
    return existing === undefined
      ? addLine(draft, source, asset, limit)
      : changeLine(draft, source, existing, limit);
  },
};

/** Whether the new flags take away what the old ones gave. */
function revokes(before: number, after: number): boolean {
  if ((before & LINE_AUTHORIZED) !== 0) return (after & LINE_AUTHORIZED) === 0;
  return (before & LINE_MAINTAIN_LIABILITIES) !== 0 && (after & AUTHORIZATION) === 0;
}

function setFlags(
  draft: Draft,
  issuer: Account,
  trustorId: string,
  asset: CreditAsset,
  to: (flags: number) => number,
): OperationOutcome {
  const trustor = draft.account(trustorId);
  const line = trustor?.trustlines.get(assetKey(asset));
  if (trustor === null || line === undefined) return fail('op_no_trustline');
  const flags = to(line.flags);
  if ((flags & AUTHORIZATION) === AUTHORIZATION) return fail('op_invalid_state');
  if ((issuer.flags & AUTH_REVOCABLE) === 0 && revokes(line.flags, flags)) return fail('op_cant_revoke');
  draft.putTrustline(trustor, assetKey(asset), { ...line, flags });
  return SUCCESS;
}

export const setTrustLineFlags: OperationHandler<xdr.SetTrustLineFlagsOp> = {
  threshold: () => 'low',
  check(body, sourceId) {
    const asset = readAsset(body.asset);
    if (asset.type === 'native' || asset.issuer !== sourceId || !isValidAsset(asset)) return 'op_malformed';
    const known = AUTHORIZATION | LINE_CLAWBACK_ENABLED;
    const wrong =
      readAccountId(body.trustor) === sourceId ||
      (body.setFlags & body.clearFlags) !== 0 ||
      (body.setFlags & ~AUTHORIZATION) !== 0 ||
      (body.clearFlags & ~known) !== 0 ||
      (body.setFlags & AUTHORIZATION) === AUTHORIZATION;
    return wrong ? 'op_malformed' : null;
  },
  apply(body, { draft, source }) {
    const asset = readAsset(body.asset);
    if (asset.type === 'native') return fail('op_malformed');
    const to = (flags: number): number => (flags & ~body.clearFlags) | body.setFlags;
    return setFlags(draft, source, readAccountId(body.trustor), asset, to);
  },
};

export const allowTrust: OperationHandler<xdr.AllowTrustOp> = {
  threshold: () => 'low',
  check({ trustor, asset, authorize }, sourceId) {
    if (readAccountId(trustor) === sourceId) return 'op_malformed';
    const valid = isValidAsset({ ...readAssetCode(asset), issuer: sourceId });
    return authorize > LINE_MAINTAIN_LIABILITIES || !valid ? 'op_malformed' : null;
  },
  apply({ trustor, asset, authorize }, { draft, source }) {
    if (authorize === 0 && (source.flags & AUTH_REVOCABLE) === 0) return fail('op_cant_revoke');
    const credit: CreditAsset = { ...readAssetCode(asset), issuer: source.id };
    return setFlags(
      draft,
      source,
      readAccountId(trustor),
      credit,
      (flags) => (flags & ~AUTHORIZATION) | authorize,
    );
  },
};
