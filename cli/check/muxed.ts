import { Account, MuxedAccount, type Keypair } from '@stellar/stellar-sdk';

/** The M… address of a key and an unsigned 64-bit id (SEP-23). */
export function muxedAddress(keypair: Keypair, id: string): string {
  return new MuxedAccount(new Account(keypair.publicKey(), '0'), id).accountId();
}
