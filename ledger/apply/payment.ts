import { Keypair } from '@stellar/stellar-sdk';
import type { xdr } from '@stellar/stellar-sdk';
import type { Draft } from '../state/draft.ts';
import { isValidAsset, readAsset, sameAsset } from '../wire/asset.ts';
import type { Asset } from '../wire/asset.ts';
import { readMuxedAccount } from '../wire/primitives.ts';
import { SUCCESS } from '../wire/result.ts';
import type { OperationOutcome } from '../wire/result.ts';
import { credit, debit } from './balances.ts';
import type { BalanceProblem } from './balances.ts';
import { fail } from './operation.ts';
import type { OperationHandler } from './operation.ts';

const DESTINATION_CODES: Record<BalanceProblem, string> = {
  no_trust: 'op_no_trust',
  not_authorized: 'op_not_authorized',
  line_full: 'op_line_full',
  underfunded: 'op_underfunded',
};

const SOURCE_CODES: Record<BalanceProblem, string> = {
  ...DESTINATION_CODES,
  no_trust: 'op_src_no_trust',
  not_authorized: 'op_src_not_authorized',
};

/** A token on its way home can be paid to an issuer that no longer exists. */
function destinationExists(draft: Draft, destination: string, asset: Asset): boolean {
  return draft.account(destination) !== null || (asset.type !== 'native' && asset.issuer === destination);
}

function give(draft: Draft, destination: string, asset: Asset, amount: bigint): string | null {
  const problem = credit(draft, destination, asset, amount);
  return problem === null ? null : DESTINATION_CODES[problem];
}

function take(draft: Draft, source: string, asset: Asset, amount: bigint): string | null {
  const problem = debit(draft, source, asset, amount);
  return problem === null ? null : SOURCE_CODES[problem];
}

/** What a path payment reports: no offers taken, and what arrived. */
function pathSuccess(destination: string, asset: xdr.Asset, amount: bigint): OperationOutcome {
  const last = {
    destination: Keypair.fromPublicKey(destination).xdrPublicKey().toXdrObject(),
    asset: asset.toXdrObject(),
    amount,
  };
  return { code: 'op_success', success: { success: { offers: [], last } } };
}

export const payment: OperationHandler<xdr.PaymentOp> = {
  threshold: () => 'medium',
  check: ({ asset, amount }) => (amount <= 0n || !isValidAsset(readAsset(asset)) ? 'op_malformed' : null),
  apply(body, { draft, source }) {
    const destination = readMuxedAccount(body.destination).account;
    const asset = readAsset(body.asset);
    if (asset.type === 'native' && destination === source.id) return SUCCESS;
    if (!destinationExists(draft, destination, asset)) return fail('op_no_destination');
    const problem =
      give(draft, destination, asset, body.amount) ?? take(draft, source.id, asset, body.amount);
    return problem === null ? SUCCESS : fail(problem);
  },
};

/** There is no order book here: only an asset for itself can be converted. */
export const pathPaymentStrictReceive: OperationHandler<xdr.PathPaymentStrictReceiveOp> = {
  threshold: () => 'medium',
  check: ({ sendAsset, sendMax, destAsset, destAmount, path }) => {
    const valid = [sendAsset, destAsset, ...path].every((asset) => isValidAsset(readAsset(asset)));
    return sendMax <= 0n || destAmount <= 0n || !valid ? 'op_malformed' : null;
  },
  apply(body, { draft, source }) {
    const destination = readMuxedAccount(body.destination).account;
    const asset = readAsset(body.destAsset);
    const success = pathSuccess(destination, body.destAsset, body.destAmount);
    const direct = sameAsset(readAsset(body.sendAsset), asset) && body.path.length === 0;
    if (direct && asset.type === 'native' && destination === source.id) return success;
    if (!destinationExists(draft, destination, asset)) return fail('op_no_destination');
    const refused = give(draft, destination, asset, body.destAmount);
    if (refused !== null) return fail(refused);
    if (!direct) return fail('op_too_few_offers');
    if (body.sendMax < body.destAmount) return fail('op_over_source_max');
    const problem = take(draft, source.id, asset, body.destAmount);
    return problem === null ? success : fail(problem);
  },
};

export const pathPaymentStrictSend: OperationHandler<xdr.PathPaymentStrictSendOp> = {
  threshold: () => 'medium',
  check: ({ sendAsset, sendAmount, destAsset, destMin, path }) => {
    const valid = [sendAsset, destAsset, ...path].every((asset) => isValidAsset(readAsset(asset)));
    return sendAmount <= 0n || destMin <= 0n || !valid ? 'op_malformed' : null;
  },
  apply(body, { draft, source }) {
    const destination = readMuxedAccount(body.destination).account;
    const asset = readAsset(body.sendAsset);
    const success = pathSuccess(destination, body.destAsset, body.sendAmount);
    const direct = sameAsset(readAsset(body.destAsset), asset) && body.path.length === 0;
    if (direct && asset.type === 'native' && destination === source.id) return success;
    if (!destinationExists(draft, destination, readAsset(body.destAsset))) return fail('op_no_destination');
    const problem = take(draft, source.id, asset, body.sendAmount);
    if (problem !== null) return fail(problem);
    if (!direct) return fail('op_too_few_offers');
    if (body.sendAmount < body.destMin) return fail('op_under_dest_min');
    const refused = give(draft, destination, asset, body.sendAmount);
    return refused === null ? success : fail(refused);
  },
};
