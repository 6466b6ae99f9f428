import {
  Address,
  Keypair,
  nativeToScVal,
  Operation,
  SorobanDataBuilder,
  xdr,
  type Asset,
} from '@stellar/stellar-sdk/base';

/** A call of `transfer` on an asset's own contract, as a wallet makes it: its operation, and what it says that it will touch. */
export interface ContractTransfer {
  readonly operation: xdr.Operation;
  readonly sorobanData: xdr.SorobanTransactionData;
}

/** @param amount stroops */
export function contractTransfer(
  passphrase: string,
  { asset, from, to, amount }: { asset: Asset; from: string; to: string; amount: bigint },
): ContractTransfer {
  const line = (account: string): xdr.LedgerKey =>
    xdr.LedgerKey.trustline(
      new xdr.LedgerKeyTrustLine({
        accountId: Keypair.fromPublicKey(account).xdrAccountId(),
        asset: asset.toTrustLineXdrObject(),
      }),
    );
  const touched = asset.isNative() ? [] : [line(from), line(to)];
  return {
    operation: Operation.invokeContractFunction({
      contract: asset.contractId(passphrase),
      function: 'transfer',
      args: [new Address(from).toScVal(), new Address(to).toScVal(), nativeToScVal(amount, { type: 'i128' })],
      auth: [],
    }),
    sorobanData: new SorobanDataBuilder().setReadWrite(touched).build(),
  };
}
