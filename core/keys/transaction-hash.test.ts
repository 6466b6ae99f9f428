import { describe, expect, test } from '@jest/globals';
import { Account, Asset, Keypair, Operation, TransactionBuilder } from '@stellar/stellar-sdk';
import { ENVELOPE_TYPE_TX_FEE_BUMP, networkId, transactionHash } from './transaction-hash.ts';

const passphrase = 'Test network of this file';
const source = Keypair.random();
const payment = new TransactionBuilder(new Account(source.publicKey(), '41'), {
  fee: '100',
  networkPassphrase: passphrase,
})
  .addOperation(Operation.payment({ destination: source.publicKey(), asset: Asset.native(), amount: '1' }))
  .setTimeout(60)
  .build();

/** The transaction inside an unsigned envelope: without the type in front and the empty list of signatures behind. */
function bare(envelope: string): Uint8Array {
  return Buffer.from(envelope, 'base64').subarray(4, -4);
}

describe('transactionHash', () => {
  test('is the hash that the SDK signs', () => {
    expect(Buffer.from(transactionHash(networkId(passphrase), bare(payment.toXDR())))).toEqual(
      Buffer.from(payment.hash()),
    );
  });

  test('is the hash that the SDK signs for a fee bump', () => {
    payment.sign(source);
    const bump = TransactionBuilder.buildFeeBumpTransaction(source, '200', payment, passphrase);
    const hash = transactionHash(networkId(passphrase), bare(bump.toXDR()), ENVELOPE_TYPE_TX_FEE_BUMP);
    expect(Buffer.from(hash)).toEqual(Buffer.from(bump.hash()));
  });

  test('differs between networks', () => {
    const transaction = bare(payment.toXDR());
    expect(transactionHash(networkId('one'), transaction)).not.toEqual(
      transactionHash(networkId('two'), transaction),
    );
  });
});
