import { Sep10Error } from './errors.ts';

/**
 * The XDR (RFC 4506) of the one kind of transaction that SEP-10 exchanges: manage_data operations, time bounds, at most
 * an id memo (Stellar-transaction.x). Anything else does not decode, every length is bounded by the bytes at hand, and
 * what decodes encodes to the same bytes.
 */

export interface XdrAccount {
  readonly key: Uint8Array;
  /** The id of a muxed account. */
  readonly id?: bigint;
}

export interface ManageData {
  readonly source?: XdrAccount;
  /** At most 64 bytes, one character for each. */
  readonly name: string;
  /** At most 64 bytes; absent: the entry is deleted. */
  readonly value?: Uint8Array;
}

export interface ChallengeTransaction {
  readonly source: XdrAccount;
  readonly feeStroops: number;
  readonly sequence: bigint;
  /** Seconds since the Unix epoch; a `max` of 0 means no end. */
  readonly timeBounds: { readonly min: bigint; readonly max: bigint };
  readonly memoId?: bigint;
  readonly operations: readonly ManageData[];
}

export interface DecoratedSignature {
  readonly hint: Uint8Array;
  readonly signature: Uint8Array;
}

export interface ChallengeEnvelope {
  readonly transaction: ChallengeTransaction;
  /** The bytes of the transaction within the envelope: what is hashed and signed. */
  readonly transactionXdr: Uint8Array;
  readonly signatures: readonly DecoratedSignature[];
}

/** The most that a data entry's name or value holds, and a signature. */
export const MAX_DATA_BYTES = 64;

const ENVELOPE_TYPE_TX = 2;
const KEY_TYPE_ED25519 = 0;
const KEY_TYPE_MUXED_ED25519 = 0x100;
const PRECOND_TIME = 1;
const MEMO_NONE = 0;
const MEMO_ID = 2;
const MANAGE_DATA = 10;
const KEY_BYTES = 32;
const HINT_BYTES = 4;
const MAX_OPERATIONS = 100;
const MAX_SIGNATURES = 20;

class Writer {
  readonly #parts: Uint8Array[] = [];

  uint32(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeUInt32BE(value);
    this.#parts.push(part);
    return this;
  }

  uint64(value: bigint): this {
    const part = Buffer.allocUnsafe(8);
    part.writeBigUInt64BE(BigInt.asUintN(64, value));
    this.#parts.push(part);
    return this;
  }

  fixed(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  opaque(bytes: Uint8Array): this {
    return this.uint32(bytes.length)
      .fixed(bytes)
      .fixed(Buffer.alloc(-bytes.length & 3));
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

function writeAccount(writer: Writer, { key, id }: XdrAccount): void {
  if (id === undefined) writer.uint32(KEY_TYPE_ED25519).fixed(key);
  else writer.uint32(KEY_TYPE_MUXED_ED25519).uint64(id).fixed(key);
}

function writeOperation(writer: Writer, { source, name, value }: ManageData): void {
  writer.uint32(source ? 1 : 0);
  if (source) writeAccount(writer, source);
  writer
    .uint32(MANAGE_DATA)
    .opaque(Buffer.from(name, 'latin1'))
    .uint32(value ? 1 : 0);
  if (value) writer.opaque(value);
}

/** The transaction without envelope and signatures. */
export function encodeTransaction(transaction: ChallengeTransaction): Uint8Array {
  const writer = new Writer();
  writeAccount(writer, transaction.source);
  writer.uint32(transaction.feeStroops).uint64(transaction.sequence);
  writer.uint32(PRECOND_TIME).uint64(transaction.timeBounds.min).uint64(transaction.timeBounds.max);
  if (transaction.memoId === undefined) writer.uint32(MEMO_NONE);
  else writer.uint32(MEMO_ID).uint64(transaction.memoId);
  writer.uint32(transaction.operations.length);
  for (const operation of transaction.operations) writeOperation(writer, operation);
  return writer.uint32(0).bytes();
}

/** The envelope as it travels, before base64. */
export function encodeEnvelope(
  transactionXdr: Uint8Array,
  signatures: readonly DecoratedSignature[],
): Uint8Array {
  const writer = new Writer().uint32(ENVELOPE_TYPE_TX).fixed(transactionXdr).uint32(signatures.length);
  for (const { hint, signature } of signatures) writer.fixed(hint).opaque(signature);
  return writer.bytes();
}

class Reader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  fixed(length: number): Buffer {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw malformed('it ends too early');
    const part = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return part;
  }

  uint32(): number {
    return this.fixed(4).readUInt32BE();
  }

  uint64(): bigint {
    return this.fixed(8).readBigUInt64BE();
  }

  int64(): bigint {
    return this.fixed(8).readBigInt64BE();
  }

  atMost(limit: number, what: string): number {
    const value = this.uint32();
    if (value > limit) throw malformed(`it has too many ${what}`);
    return value;
  }

  boolean(): boolean {
    return this.atMost(1, 'values of a yes or no') === 1;
  }

  opaque(limit: number): Buffer {
    const bytes = this.fixed(this.atMost(limit, 'bytes in a field'));
    if (this.fixed(-bytes.length & 3).some((byte) => byte !== 0)) throw malformed('its padding is not zero');
    return bytes;
  }

  end(): void {
    if (this.#offset !== this.#bytes.length) throw malformed('something follows it');
  }
}

function malformed(why: string): Sep10Error {
  return new Sep10Error('malformed_transaction', `The transaction does not decode: ${why}.`);
}

function unexpected(code: string, what: string): Sep10Error {
  return new Sep10Error(code, `The transaction is not a challenge: ${what}.`);
}

function readAccount(reader: Reader): XdrAccount {
  const type = reader.uint32();
  if (type === KEY_TYPE_ED25519) return { key: reader.fixed(KEY_BYTES) };
  if (type !== KEY_TYPE_MUXED_ED25519) throw malformed('an account is of an unknown type');
  const id = reader.uint64();
  return { id, key: reader.fixed(KEY_BYTES) };
}

function readTimeBounds(reader: Reader): ChallengeTransaction['timeBounds'] {
  if (reader.uint32() !== PRECOND_TIME) {
    throw unexpected('missing_time_bounds', 'it must have time bounds and no other precondition');
  }
  return { min: reader.uint64(), max: reader.uint64() };
}

function readMemo(reader: Reader): Pick<ChallengeTransaction, 'memoId'> {
  const type = reader.uint32();
  if (type === MEMO_NONE) return {};
  if (type !== MEMO_ID) throw unexpected('memo_not_id', 'its memo is not an id');
  return { memoId: reader.uint64() };
}

function readOperation(reader: Reader): ManageData {
  const source = reader.boolean() ? readAccount(reader) : undefined;
  if (reader.uint32() !== MANAGE_DATA) {
    throw unexpected('operation_not_manage_data', 'an operation is not manage_data');
  }
  const name = reader.opaque(MAX_DATA_BYTES).toString('latin1');
  const value = reader.boolean() ? reader.opaque(MAX_DATA_BYTES) : undefined;
  return { ...(source && { source }), name, ...(value && { value }) };
}

function readSignature(reader: Reader): DecoratedSignature {
  return { hint: reader.fixed(HINT_BYTES), signature: reader.opaque(MAX_DATA_BYTES) };
}

function repeat<T>(count: number, read: () => T): T[] {
  return Array.from({ length: count }, read);
}

/**
 * Reads the envelope of a challenge.
 * @throws {Sep10Error} `malformed_transaction`, `not_a_transaction` (a fee bump or an old envelope),
 *   `missing_time_bounds`, `memo_not_id` or `operation_not_manage_data`
 */
export function decodeEnvelope(bytes: Buffer): ChallengeEnvelope {
  const reader = new Reader(bytes);
  if (reader.uint32() !== ENVELOPE_TYPE_TX) {
    throw unexpected('not_a_transaction', 'it is a fee bump or an envelope of another type');
  }
  const start = reader.offset;
  const transaction = {
    source: readAccount(reader),
    feeStroops: reader.uint32(),
    sequence: reader.int64(),
    timeBounds: readTimeBounds(reader),
    ...readMemo(reader),
    operations: repeat(reader.atMost(MAX_OPERATIONS, 'operations'), () => readOperation(reader)),
  };
  if (reader.uint32() !== 0) throw malformed('it carries an extension');
  const transactionXdr = bytes.subarray(start, reader.offset);
  const signatures = repeat(reader.atMost(MAX_SIGNATURES, 'signatures'), () => readSignature(reader));
  reader.end();
  return { transaction, transactionXdr, signatures };
}
