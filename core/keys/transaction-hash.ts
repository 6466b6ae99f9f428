import { hash } from 'node:crypto';

/** EnvelopeType of Stellar-ledger-entries.x: what a hash is of. */
export const ENVELOPE_TYPE_TX = 2;
export const ENVELOPE_TYPE_TX_FEE_BUMP = 5;

/** SHA-256 of the network's passphrase: 32 bytes that keep a signature on its network. */
export function networkId(passphrase: string): Uint8Array {
  return hash('sha256', passphrase, 'buffer');
}

/**
 * The 32 bytes that a transaction's signers sign and under which the ledger lists it:
 * SHA-256(network id ‖ envelope type ‖ transaction), the transaction as XDR without its envelope and signatures.
 */
export function transactionHash(
  network: Uint8Array,
  transaction: Uint8Array,
  envelopeType: typeof ENVELOPE_TYPE_TX | typeof ENVELOPE_TYPE_TX_FEE_BUMP = ENVELOPE_TYPE_TX,
): Uint8Array {
  // At once: an object that takes parts costs four times as much.
  return hash(
    'sha256',
    Buffer.concat([network, Uint8Array.of(0, 0, 0, envelopeType), transaction]),
    'buffer',
  );
}
