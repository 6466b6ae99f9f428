import { createHash } from 'node:crypto';
import { xdr } from '@stellar/stellar-sdk';
import { MalformedEnvelopeError } from '../errors.ts';
import { readContractTransfer } from './contract-transfer.ts';
import type { ContractTransfer } from './contract-transfer.ts';
import { hex, readMuxedAccount } from './primitives.ts';
import type { Address } from './primitives.ts';

export interface Signature {
  /** last four bytes of the key that made it */
  readonly hint: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface ParsedOperation {
  readonly source: Address;
  /** whether the operation names its source itself */
  readonly explicitSource: boolean;
  readonly body: xdr.OperationBody;
  /** of a contract's call that this ledger understands; else null */
  readonly contractTransfer: ContractTransfer | null;
}

export interface Preconditions {
  /** Unix seconds, 0 = none */
  readonly minTime: bigint;
  readonly maxTime: bigint;
  readonly hasTimeBounds: boolean;
  readonly ledgerBounds: { readonly minLedger: number; readonly maxLedger: number } | null;
  readonly minSequence: bigint | null;
  /** seconds */
  readonly minSequenceAge: bigint;
  readonly minSequenceLedgerGap: number;
  readonly extraSigners: readonly xdr.SignerKey[];
}

/** What carries signatures over a hash. */
export interface Signed {
  readonly hash: Uint8Array;
  readonly hashHex: string;
  readonly signatures: readonly Signature[];
}

/** A transaction proper; within a fee bump it is the inner one. */
export interface InnerTransaction extends Signed {
  readonly source: Address;
  /** stroops, of the whole transaction */
  readonly fee: bigint;
  readonly sequence: bigint;
  readonly preconditions: Preconditions;
  readonly memo: xdr.Memo;
  readonly operations: readonly ParsedOperation[];
}

export interface ParsedTransaction {
  readonly envelopeXdr: string;
  /** the hash it is submitted and listed under: the fee bump's, if it is one */
  readonly hash: Uint8Array;
  readonly hashHex: string;
  readonly inner: InnerTransaction;
  readonly bump: (Signed & { readonly feeSource: Address; readonly fee: bigint }) | null;
  /** stroops bid for the whole */
  readonly maxFee: bigint;
  /** how many operations the fee pays for: one more in a fee bump */
  readonly feeOperations: number;
}

const ENVELOPE_TX = 2;
const ENVELOPE_FEE_BUMP = 5;
/** Larger than any envelope of 100 operations and 20 signatures. */
const MAX_ENVELOPE_CHARS = 256 * 1024;

function payloadHash(network: Uint8Array, envelopeType: number, transaction: Uint8Array): Buffer {
  const tag = Buffer.alloc(4);
  tag.writeUInt32BE(envelopeType);
  return createHash('sha256').update(network).update(tag).update(transaction).digest();
}

function readSignatures(signatures: readonly xdr.DecoratedSignature[]): Signature[] {
  return signatures.map(({ hint, signature }) => ({ hint: hint.value, bytes: signature.value }));
}

const NO_PRECONDITIONS: Preconditions = {
  minTime: 0n,
  maxTime: 0n,
  hasTimeBounds: false,
  ledgerBounds: null,
  minSequence: null,
  minSequenceAge: 0n,
  minSequenceLedgerGap: 0,
  extraSigners: [],
};

function readPreconditions(conditions: xdr.Preconditions): Preconditions {
  if (conditions.type === 'precondNone') return NO_PRECONDITIONS;
  if (conditions.type === 'precondTime') {
    const { minTime, maxTime } = conditions.timeBounds;
    return { ...NO_PRECONDITIONS, hasTimeBounds: true, minTime, maxTime };
  }
  const { timeBounds, ledgerBounds, minSeqNum, minSeqAge, minSeqLedgerGap, extraSigners } = conditions.v2;
  return {
    minTime: timeBounds?.minTime ?? 0n,
    maxTime: timeBounds?.maxTime ?? 0n,
    hasTimeBounds: timeBounds !== null,
    ledgerBounds,
    minSequence: minSeqNum,
    minSequenceAge: minSeqAge,
    minSequenceLedgerGap: minSeqLedgerGap,
    extraSigners,
  };
}

function readInner(network: Uint8Array, envelope: xdr.TransactionV1Envelope): InnerTransaction {
  const { tx } = envelope;
  const hash = payloadHash(network, ENVELOPE_TX, tx.toXdr());
  const source = readMuxedAccount(tx.sourceAccount);
  return {
    hash,
    hashHex: hex(hash),
    signatures: readSignatures(envelope.signatures),
    source,
    fee: BigInt(tx.fee),
    sequence: tx.seqNum,
    preconditions: readPreconditions(tx.cond),
    memo: tx.memo,
    operations: tx.operations.map(({ sourceAccount, body }) => ({
      source: sourceAccount === null ? source : readMuxedAccount(sourceAccount),
      explicitSource: sourceAccount !== null,
      body,
      contractTransfer: readContractTransfer(network, tx, body),
    })),
  };
}

function decode(envelopeXdr: string): xdr.TransactionEnvelope {
  if (envelopeXdr.length > MAX_ENVELOPE_CHARS) throw new MalformedEnvelopeError('The envelope is too large.');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(envelopeXdr)) throw new MalformedEnvelopeError('Send it in base64.');
  try {
    return xdr.TransactionEnvelope.fromXdr(envelopeXdr, 'base64');
  } catch (cause) {
    throw new MalformedEnvelopeError('It is no XDR transaction envelope.', { cause });
  }
}

/**
 * Decodes an envelope as submitted (base64 XDR) and computes its hashes for the network.
 * @param network the network id: sha256 of the passphrase
 * @throws MalformedEnvelopeError also for version 0 envelopes, which no client of today makes
 */
export function parseEnvelope(network: Uint8Array, envelopeXdr: string): ParsedTransaction {
  const envelope = decode(envelopeXdr);
  if (envelope.type === 'envelopeTypeTx') {
    const inner = readInner(network, envelope.v1);
    const { hash, hashHex, fee } = inner;
    return {
      envelopeXdr,
      hash,
      hashHex,
      inner,
      bump: null,
      maxFee: fee,
      feeOperations: inner.operations.length,
    };
  }
  if (envelope.type !== 'envelopeTypeTxFeeBump') {
    throw new MalformedEnvelopeError('Build it as a version 1 transaction: version 0 is not taken here.');
  }
  const { tx, signatures } = envelope.feeBump;
  const inner = readInner(network, tx.innerTx.v1);
  const hash = payloadHash(network, ENVELOPE_FEE_BUMP, tx.toXdr());
  const signed = { hash, hashHex: hex(hash), signatures: readSignatures(signatures) };
  return {
    envelopeXdr,
    hash,
    hashHex: signed.hashHex,
    inner,
    bump: { ...signed, feeSource: readMuxedAccount(tx.feeSource), fee: tx.fee },
    maxFee: tx.fee,
    feeOperations: inner.operations.length + 1,
  };
}

/** The account that pays the fee. */
export function feeAccount(transaction: ParsedTransaction): string {
  return (transaction.bump?.feeSource ?? transaction.inner.source).account;
}
