import { createHash } from 'node:crypto';
import { Keypair } from '@stellar/stellar-sdk';

/** The passphrase of a local network that names none. */
export const LOCAL_PASSPHRASE = 'Capstan Local Network ; 2026';

/** Protocol that the ledger speaks; operations newer than it are refused. */
export const PROTOCOL_VERSION = 22;
/** Smallest fee per operation, stroops. */
export const BASE_FEE = 100n;
/** Reserve per ledger entry, stroops (0.5 XLM). */
export const BASE_RESERVE = 5_000_000n;
export const STROOPS_PER_UNIT = 10_000_000n;
/** All lumens of the network, stroops (100 billion XLM), in existence from the first ledger on. */
export const TOTAL_COINS = 100_000_000_000n * STROOPS_PER_UNIT;
export const MAX_INT64 = 9_223_372_036_854_775_807n;

export const GENESIS_LEDGER = 1;
export const MAX_OPERATIONS_PER_TRANSACTION = 100;
export const MAX_OPERATIONS_PER_LEDGER = 1000;
export const MAX_SUBENTRIES = 1000;
export const MAX_SIGNERS = 20;

/** A transaction leaves the queue after this many ledgers … */
export const QUEUE_LEDGERS = 4;
/** … and may not return for this many. */
export const BAN_LEDGERS = 10;
/** A fee bump replaces a queued transaction from this multiple of its bid on. */
export const REPLACE_FEE_FACTOR = 10n;

export const FRIENDBOT_STARTING_BALANCE = 10_000n * STROOPS_PER_UNIT;
/** What the first ledger gives the friendbot's own account for its fees. */
export const FRIENDBOT_FLOAT = 1_000_000n * STROOPS_PER_UNIT;

export function networkId(passphrase: string): Buffer {
  return createHash('sha256').update(passphrase).digest();
}

/** The account that holds all lumens at first: its seed is the network id, as on every Stellar network. */
export function rootKeypair(passphrase: string): Keypair {
  return Keypair.fromRawEd25519Seed(networkId(passphrase));
}

/** The account that lends its sequence number to the friendbot, so that the root account's stays free. */
export function friendbotKeypair(passphrase: string): Keypair {
  return Keypair.fromRawEd25519Seed(
    createHash('sha256').update('friendbot').update(networkId(passphrase)).digest(),
  );
}
