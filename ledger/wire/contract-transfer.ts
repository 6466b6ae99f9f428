import { createHash } from 'node:crypto';
import { xdr } from '@stellar/stellar-sdk';
import { NATIVE, readAsset } from './asset.ts';
import type { Asset } from './asset.ts';
import { hex, readAccountId } from './primitives.ts';

/** `transfer(from, to, amount)` of an asset's own contract (CAP-46-6): the one call of a contract that this ledger has. */
export interface ContractTransfer {
  readonly asset: Asset;
  /** G… */
  readonly from: string;
  readonly to: string;
  readonly amount: bigint;
}

function contractOf(network: Uint8Array, asset: xdr.Asset): string {
  const preimage = xdr.HashIdPreimage.envelopeTypeContractId(
    new xdr.HashIdPreimageContractId({
      networkId: network,
      contractIdPreimage: xdr.ContractIdPreimage.contractIdPreimageFromAsset(asset),
    }),
  );
  return createHash('sha256').update(preimage.toXdr()).digest('hex');
}

/** The assets whose lines a transaction says that it will write; lumens have none. */
function footprintAssets({ ext }: xdr.Transaction): readonly xdr.Asset[] {
  if (ext.type !== 'sorobanData') return [];
  const lines = ext.sorobanData.resources.footprint.readWrite.flatMap((key) => {
    if (key.type !== 'trustline' || key.trustLine.asset.type === 'assetTypePoolShare') return [];
    return [key.trustLine.asset];
  });
  return [xdr.Asset.assetTypeNative(), ...lines];
}

function addressOf(value: xdr.ScVal | undefined): string | null {
  if (value?.type !== 'scvAddress' || value.address.type !== 'scAddressTypeAccount') return null;
  return readAccountId(value.address.accountId);
}

/**
 * What an operation of a transaction asks a contract to move, or null if it is something else.
 * @param network the network id: sha256 of the passphrase
 */
export function readContractTransfer(
  network: Uint8Array,
  transaction: xdr.Transaction,
  body: xdr.OperationBody,
): ContractTransfer | null {
  if (body.type !== 'invokeHostFunction') return null;
  const { hostFunction } = body.invokeHostFunctionOp;
  if (hostFunction.type !== 'hostFunctionTypeInvokeContract') return null;
  const { contractAddress, functionName, args } = hostFunction.invokeContract;
  const [from, to] = [addressOf(args[0]), addressOf(args[1])];
  const amount = args[2];
  if (contractAddress.type !== 'scAddressTypeContract' || functionName.toString() !== 'transfer') return null;
  // A ledger's amounts have 64 bits: what is larger cannot be there.
  if (from === null || to === null || amount?.type !== 'scvI128' || amount.i128.hi !== 0n) return null;
  const contract = hex(contractAddress.contractId.value);
  const found = footprintAssets(transaction).find((asset) => contractOf(network, asset) === contract);
  if (found === undefined) return null;
  const asset = found.type === 'assetTypeNative' ? NATIVE : readAsset(found);
  return { asset, from, to, amount: amount.i128.lo };
}
