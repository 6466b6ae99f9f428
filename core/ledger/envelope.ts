import { FeeBumpTransaction, TransactionBuilder } from '@stellar/stellar-sdk/base';
import type { Transaction } from '@stellar/stellar-sdk/base';
import { CapstanError, messageOf } from '../runtime/errors.ts';

/** The envelope is not one, or asks for something that cannot be built. */
export class InvalidEnvelope extends CapstanError {
  constructor(why: string, cause?: unknown) {
    super('invalid_envelope', `Not a transaction that Capstan can send: ${why}`, { cause });
  }
}

/** Reads a base64 envelope, plain or fee bump. @throws {InvalidEnvelope} */
export function parseEnvelope(envelopeXdr: string, passphrase: string): Transaction | FeeBumpTransaction {
  try {
    return TransactionBuilder.fromXdr(envelopeXdr, passphrase);
  } catch (thrown) {
    throw new InvalidEnvelope(messageOf(thrown), thrown);
  }
}

/** The hex hash under which the ledger lists the envelope: of a fee bump the outer one. @throws {InvalidEnvelope} */
export function hashOfEnvelope(envelopeXdr: string, passphrase: string): string {
  return Buffer.from(parseEnvelope(envelopeXdr, passphrase).hash()).toString('hex');
}
