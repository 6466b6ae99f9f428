import type { xdr } from '@stellar/stellar-sdk';
import { MAX_SIGNERS, MAX_SUBENTRIES } from '../network.ts';
import type { Draft } from '../state/draft.ts';
import {
  ALL_ACCOUNT_FLAGS,
  AUTH_CLAWBACK_ENABLED,
  AUTH_IMMUTABLE,
  AUTH_REVOCABLE,
  canReserve,
  subentryCount,
} from '../state/entries.ts';
import type { Account } from '../state/entries.ts';
import { encodeSignerKey } from '../validate/signatures.ts';
import { readAccountId } from '../wire/primitives.ts';
import { SUCCESS } from '../wire/result.ts';
import { fail } from './operation.ts';
import type { OperationHandler } from './operation.ts';

const MAX_BYTE = 255;

function touchesSigners(body: xdr.SetOptionsOp): boolean {
  const { masterWeight, lowThreshold, medThreshold, highThreshold, signer } = body;
  return [masterWeight, lowThreshold, medThreshold, highThreshold, signer].some((value) => value !== null);
}

function flagProblem(set: number, clear: number): string | null {
  if (((set | clear) & ~ALL_ACCOUNT_FLAGS) !== 0) return 'op_unknown_flag';
  return (set & clear) !== 0 ? 'op_bad_flags' : null;
}

function signerProblem(signer: xdr.Signer | null, sourceId: string): string | null {
  if (signer === null) return null;
  return signer.weight > MAX_BYTE || encodeSignerKey(signer.key) === sourceId ? 'op_bad_signer' : null;
}

function isPrintable(text: Uint8Array): boolean {
  return text.every((byte) => byte >= 0x20 && byte < 0x7f);
}

/** The flags after the change, or why it may not be. */
function changeFlags(account: Account, set: number, clear: number): number | string {
  if (set === 0 && clear === 0) return account.flags;
  if ((account.flags & AUTH_IMMUTABLE) !== 0) return 'op_cant_change';
  const flags = (account.flags & ~clear) | set;
  const clawbackAlone = (flags & AUTH_CLAWBACK_ENABLED) !== 0 && (flags & AUTH_REVOCABLE) === 0;
  return clawbackAlone ? 'op_auth_revocable_required' : flags;
}

/** The account with the signer added, changed or (weight 0) removed, or why it cannot be. */
function changeSigner(account: Account, key: string, weight: number): Account | string {
  const others = account.signers.filter((signer) => signer.key !== key);
  const isNew = others.length === account.signers.length;
  if (weight === 0) return { ...account, signers: others };
  if (isNew && others.length >= MAX_SIGNERS) return 'op_too_many_signers';
  if (isNew && subentryCount(account) >= MAX_SUBENTRIES) return 'op_too_many_subentries';
  if (isNew && !canReserve(account, 1)) return 'op_low_reserve';
  const signers = [...others, { key, weight }].sort((a, b) => (a.key < b.key ? -1 : 1));
  return { ...account, signers };
}

function change(draft: Draft, source: Account, body: xdr.SetOptionsOp): Account | string {
  if (body.inflationDest !== null && draft.account(readAccountId(body.inflationDest)) === null) {
    return 'op_invalid_inflation';
  }
  const flags = changeFlags(source, body.setFlags ?? 0, body.clearFlags ?? 0);
  if (typeof flags === 'string') return flags;
  const changed: Account = {
    ...source,
    flags,
    masterWeight: body.masterWeight ?? source.masterWeight,
    lowThreshold: body.lowThreshold ?? source.lowThreshold,
    mediumThreshold: body.medThreshold ?? source.mediumThreshold,
    highThreshold: body.highThreshold ?? source.highThreshold,
    homeDomain: body.homeDomain === null ? source.homeDomain : body.homeDomain.toString(),
  };
  if (body.signer === null) return changed;
  return changeSigner(changed, encodeSignerKey(body.signer.key), body.signer.weight);
}

export const setOptions: OperationHandler<xdr.SetOptionsOp> = {
  threshold: (body) => (touchesSigners(body) ? 'high' : 'medium'),
  check(body, sourceId) {
    const flags = flagProblem(body.setFlags ?? 0, body.clearFlags ?? 0);
    if (flags !== null) return flags;
    const weights = [body.masterWeight, body.lowThreshold, body.medThreshold, body.highThreshold];
    if (weights.some((weight) => weight !== null && weight > MAX_BYTE)) return 'op_threshold_out_of_range';
    const signer = signerProblem(body.signer, sourceId);
    if (signer !== null) return signer;
    return body.homeDomain !== null && !isPrintable(body.homeDomain.bytes) ? 'op_invalid_home_domain' : null;
  },
  apply(body, { draft, source }) {
    const changed = change(draft, source, body);
    if (typeof changed === 'string') return fail(changed);
    draft.putAccount(changed);
    return SUCCESS;
  },
};
