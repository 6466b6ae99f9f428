import type { xdr } from '@stellar/stellar-sdk';
import { encodeSignerKey } from '../validate/signatures.ts';
import { assetKey, readAsset, readAssetCode, readTrustlineAsset } from '../wire/asset.ts';
import type { Asset } from '../wire/asset.ts';
import type { ParsedOperation } from '../wire/envelope.ts';
import { base64, formatAmount, hex, readAccountId, readMuxedAccount } from '../wire/primitives.ts';
import type { Address } from '../wire/primitives.ts';
import { claimantJson } from './claimable-balance.ts';
import type { Json } from './hal.ts';
import { muxedFields } from './transaction.ts';

const ACCOUNT_FLAG_NAMES: readonly (readonly [number, string])[] = [
  [1, 'auth_required'],
  [2, 'auth_revocable'],
  [4, 'auth_immutable'],
  [8, 'auth_clawback_enabled'],
];

const LINE_FLAG_NAMES: readonly (readonly [number, string])[] = [
  [1, 'authorized'],
  [2, 'authorized_to_maintain_liabilities'],
  [4, 'clawback_enabled'],
];

function assetFields(asset: Asset, prefix = ''): Json {
  if (asset.type === 'native') return { [`${prefix}asset_type`]: 'native' };
  return {
    [`${prefix}asset_type`]: asset.type,
    [`${prefix}asset_code`]: asset.code,
    [`${prefix}asset_issuer`]: asset.issuer,
  };
}

function addressFields(name: string, address: Address): Json {
  return { [name]: address.account, ...muxedFields(name, address) };
}

function flagFields(name: string, flags: number | null, names: readonly (readonly [number, string])[]): Json {
  if (flags === null || flags === 0) return {};
  const set = names.filter(([flag]) => (flags & flag) !== 0);
  return { [name]: set.map(([flag]) => flag), [`${name}_s`]: set.map(([, text]) => text) };
}

function transferFields(source: Address, destination: xdr.MuxedAccount, asset: Asset, amount: string): Json {
  return {
    ...assetFields(asset),
    ...addressFields('from', source),
    ...addressFields('to', readMuxedAccount(destination)),
    amount,
  };
}

function receiveFields(source: Address, body: xdr.PathPaymentStrictReceiveOp, successful: boolean): Json {
  return {
    ...transferFields(source, body.destination, readAsset(body.destAsset), formatAmount(body.destAmount)),
    path: body.path.map((asset) => assetFields(readAsset(asset))),
    // Without an order book, what is sent is what arrives.
    source_amount: formatAmount(successful ? body.destAmount : 0n),
    source_max: formatAmount(body.sendMax),
    ...assetFields(readAsset(body.sendAsset), 'source_'),
  };
}

function sendFields(source: Address, body: xdr.PathPaymentStrictSendOp, successful: boolean): Json {
  const amount = formatAmount(successful ? body.sendAmount : 0n);
  return {
    ...transferFields(source, body.destination, readAsset(body.destAsset), amount),
    path: body.path.map((asset) => assetFields(readAsset(asset))),
    source_amount: formatAmount(body.sendAmount),
    destination_min: formatAmount(body.destMin),
    ...assetFields(readAsset(body.sendAsset), 'source_'),
  };
}

function paymentFields({ source, body }: ParsedOperation, successful: boolean): Json | null {
  switch (body.type) {
    case 'createAccount':
      return {
        starting_balance: formatAmount(body.createAccountOp.startingBalance),
        ...addressFields('funder', source),
        account: readAccountId(body.createAccountOp.destination),
      };
    case 'payment': {
      const { destination, asset, amount } = body.paymentOp;
      return transferFields(source, destination, readAsset(asset), formatAmount(amount));
    }
    case 'pathPaymentStrictReceive':
      return receiveFields(source, body.pathPaymentStrictReceiveOp, successful);
    case 'pathPaymentStrictSend':
      return sendFields(source, body.pathPaymentStrictSendOp, successful);
    case 'accountMerge':
      return {
        ...addressFields('account', source),
        ...addressFields('into', readMuxedAccount(body.destination)),
      };
    default:
      return null;
  }
}

function setOptionsFields(body: xdr.SetOptionsOp): Json {
  const entries: readonly (readonly [string, unknown])[] = [
    ['home_domain', body.homeDomain?.toString()],
    ['inflation_dest', body.inflationDest === null ? null : readAccountId(body.inflationDest)],
    ['master_key_weight', body.masterWeight],
    ['signer_key', body.signer === null ? null : encodeSignerKey(body.signer.key)],
    ['signer_weight', body.signer?.weight],
    ['low_threshold', body.lowThreshold],
    ['med_threshold', body.medThreshold],
    ['high_threshold', body.highThreshold],
  ];
  return {
    ...Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined)),
    ...flagFields('set_flags', body.setFlags, ACCOUNT_FLAG_NAMES),
    ...flagFields('clear_flags', body.clearFlags, ACCOUNT_FLAG_NAMES),
  };
}

function changeTrustFields(source: Address, { line, limit }: xdr.ChangeTrustOp): Json {
  const asset = readTrustlineAsset(line);
  if (asset === null || asset.type === 'native') return { limit: formatAmount(limit) };
  return {
    ...assetFields(asset),
    limit: formatAmount(limit),
    trustee: asset.issuer,
    ...addressFields('trustor', source),
  };
}

function allowTrustFields(source: Address, { trustor, asset, authorize }: xdr.AllowTrustOp): Json {
  return {
    ...assetFields({ ...readAssetCode(asset), issuer: source.account }),
    ...addressFields('trustee', source),
    trustor: readAccountId(trustor),
    authorize: authorize === 1,
    authorize_to_maintain_liabilities: authorize !== 0,
  };
}

function contractFields({ contractTransfer }: ParsedOperation, successful: boolean): Json {
  const fields = { function: 'HostFunctionTypeHostFunctionTypeInvokeContract', address: '', salt: '' };
  if (contractTransfer === null) return { ...fields, asset_balance_changes: null };
  const { asset, from, to, amount } = contractTransfer;
  const change = { ...assetFields(asset), type: 'transfer', from, to, amount: formatAmount(amount) };
  // Horizon reads them off what the call did.
  return { ...fields, asset_balance_changes: successful ? [change] : null };
}

function trustFields({ source, body }: ParsedOperation): Json | null {
  switch (body.type) {
    case 'changeTrust':
      return changeTrustFields(source, body.changeTrustOp);
    case 'allowTrust':
      return allowTrustFields(source, body.allowTrustOp);
    case 'setTrustLineFlags': {
      const { asset, trustor, setFlags, clearFlags } = body.setTrustLineFlagsOp;
      return {
        ...assetFields(readAsset(asset)),
        trustor: readAccountId(trustor),
        ...flagFields('set_flags', setFlags, LINE_FLAG_NAMES),
        ...flagFields('clear_flags', clearFlags, LINE_FLAG_NAMES),
      };
    }
    default:
      return null;
  }
}

function otherFields({ source, body }: ParsedOperation): Json {
  switch (body.type) {
    case 'setOptions':
      return setOptionsFields(body.setOptionsOp);
    case 'manageData': {
      const { dataName, dataValue } = body.manageDataOp;
      return { name: dataName.toString(), value: dataValue === null ? null : base64(dataValue.value) };
    }
    case 'bumpSequence':
      return { bump_to: String(body.bumpSequenceOp.bumpTo) };
    case 'createClaimableBalance': {
      const { asset, amount, claimants } = body.createClaimableBalanceOp;
      return {
        asset: assetKey(readAsset(asset)),
        amount: formatAmount(amount),
        claimants: claimants.map(({ v0 }) =>
          claimantJson({ destination: readAccountId(v0.destination), predicate: v0.predicate }),
        ),
      };
    }
    case 'claimClaimableBalance':
      return {
        balance_id: `00000000${hex(body.claimClaimableBalanceOp.balanceId.v0.value)}`,
        ...addressFields('claimant', source),
      };
    default:
      return {};
  }
}

/** What an operation of its kind shows besides the fields of all. */
export function operationFields(operation: ParsedOperation, successful: boolean): Json {
  if (operation.body.type === 'invokeHostFunction') return contractFields(operation, successful);
  return paymentFields(operation, successful) ?? trustFields(operation) ?? otherFields(operation);
}
