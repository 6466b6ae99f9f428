import { decodeAccount, parseAddress } from '../keys/strkey.ts';
import { MAX_STROOPS } from '../transaction/amount.ts';
import { InvalidEnvelope } from './errors.ts';
import type { AssetId } from './types.ts';
import type { ClaimantSpec, MemoSpec, TransferOperation } from './operations.ts';
import { XdrWriter } from './xdr-writer.ts';

/**
 * The XDR of the transactions that pay (Stellar-transaction.x, RFC 4506): an envelope of a hundred payments takes the SDK
 * ten milliseconds, of which the channels wait; a property test holds the two to the same bytes.
 */
const KEY_TYPE_ED25519 = 0;
const KEY_TYPE_MUXED_ED25519 = 0x100;
const PRECOND_TIME = 1;
const ASSET_CODE = /^[a-zA-Z0-9]{1,12}$/;
/** Claimants of one balance. */
const MAX_CLAIMANTS = 10;

const OPERATIONS = { createAccount: 0, payment: 1, createClaimableBalance: 14, claimClaimableBalance: 15 };
const MEMOS = { none: 0, text: 1, id: 2, hash: 3, return: 4 };
const PREDICATES = { unconditional: 0, and: 1, not: 3, beforeAbsoluteTime: 4 };

/** Text memos are at most this many UTF-8 bytes. */
const MEMO_TEXT_BYTES = 28;
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
/** A claimable balance's id as Horizon names it: the XDR of version 0 and a hash, in hex. */
const BALANCE_ID = /^00000000[0-9a-f]{64}$/i;
const HASH = /^[0-9a-f]{64}$/i;

export interface TransactionFields {
  /** G…. */
  readonly source: string;
  /** Stroops for the whole transaction. */
  readonly fee: bigint;
  readonly sequence: bigint;
  /** Seconds since the epoch. */
  readonly minTime: bigint;
  readonly maxTime: bigint;
  readonly memo: MemoSpec | undefined;
  readonly operations: readonly TransferOperation[];
}

/**
 * The transaction without envelope and signatures: what is hashed and signed. The limits of the protocol's numbers are the caller's.
 * @throws {InvalidEnvelope | InvalidStrkey}
 */
export function encodePayments(transaction: TransactionFields): Buffer {
  const writer = new XdrWriter();
  writer.uint32(KEY_TYPE_ED25519).fixed(decodeAccount(transaction.source));
  writer.uint32(Number(transaction.fee)).int64(transaction.sequence);
  writer.uint32(PRECOND_TIME).uint64(transaction.minTime).uint64(transaction.maxTime);
  writeMemo(writer, transaction.memo);
  writer.uint32(transaction.operations.length);
  // The same few issuers and sources a hundred times.
  const assets = new Map<AssetId, Uint8Array>();
  const sources = new Map<string, Uint8Array>();
  for (const operation of transaction.operations) {
    if (operation.source === undefined) writer.uint32(0);
    else writer.uint32(1).fixed(known(sources, operation.source, encodeMuxedAccount));
    writeBody(writer, operation, (assetId) => known(assets, assetId, encodeAsset));
  }
  return writer.uint32(0).bytes();
}

function known(cache: Map<string, Uint8Array>, name: string, make: (name: string) => Uint8Array): Uint8Array {
  const found = cache.get(name);
  if (found) return found;
  const made = make(name);
  cache.set(name, made);
  return made;
}

function writeMemo(writer: XdrWriter, memo: MemoSpec | undefined): void {
  if (!memo) return void writer.uint32(MEMOS.none);
  writer.uint32(MEMOS[memo.type]);
  switch (memo.type) {
    case 'text': {
      const text = Buffer.from(memo.value, 'utf8');
      if (text.length > MEMO_TEXT_BYTES)
        throw new InvalidEnvelope(`its text memo exceeds ${MEMO_TEXT_BYTES} bytes.`);
      return void writer.opaque(text);
    }
    case 'id':
      return void writer.uint64(uint64Of(memo.value));
    default:
      if (!HASH.test(memo.value)) throw new InvalidEnvelope(`its ${memo.type} memo is not 64 hex digits.`);
      return void writer.fixed(Buffer.from(memo.value, 'hex'));
  }
}

function uint64Of(decimal: string): bigint {
  const value = /^\d{1,20}$/.test(decimal) ? BigInt(decimal) : -1n;
  if (value < 0n || value > MAX_UINT64)
    throw new InvalidEnvelope('its id memo is no unsigned 64-bit number.');
  return value;
}

function writeBody(
  writer: XdrWriter,
  operation: TransferOperation,
  asset: (assetId: AssetId) => Uint8Array,
): void {
  writer.uint32(OPERATIONS[operation.kind]);
  switch (operation.kind) {
    case 'payment':
      writeMuxedAccount(writer, operation.destination);
      return void writer.fixed(asset(operation.assetId)).int64(operation.amount);
    case 'createAccount':
      writer.uint32(KEY_TYPE_ED25519).fixed(decodeAccount(operation.destination));
      return void writer.int64(operation.amount);
    case 'claimClaimableBalance':
      if (!BALANCE_ID.test(operation.balanceId))
        throw new InvalidEnvelope('the id of its claimable balance is not 72 hex digits.');
      return void writer.fixed(Buffer.from(operation.balanceId, 'hex'));
    case 'createClaimableBalance':
      writer.fixed(asset(operation.assetId)).int64(operation.amount);
      return writeClaimants(writer, operation.claimants);
    default:
      return operation satisfies never;
  }
}

function writeMuxedAccount(writer: XdrWriter, text: string): void {
  const address = parseAddress(text);
  if (!address) throw new InvalidEnvelope('it names something else than an account (G… or M…).');
  const { key, id } = address;
  if (id === undefined) writer.uint32(KEY_TYPE_ED25519).fixed(key);
  else writer.uint32(KEY_TYPE_MUXED_ED25519).uint64(id).fixed(key);
}

function encodeMuxedAccount(text: string): Uint8Array {
  const writer = new XdrWriter();
  writeMuxedAccount(writer, text);
  return writer.bytes();
}

/** @throws {InvalidEnvelope} for anything but `native` and `CODE:ISSUER`. */
function encodeAsset(assetId: AssetId): Uint8Array {
  if (assetId === 'native') return new XdrWriter().uint32(0).bytes();
  const [code = '', issuer = '', more] = assetId.split(':');
  if (!ASSET_CODE.test(code) || more !== undefined)
    throw new InvalidEnvelope(`"${assetId.slice(0, 80)}" is not native or CODE:ISSUER.`);
  const [type, width] = code.length <= 4 ? [1, 4] : [2, 12];
  const padded = Buffer.alloc(width);
  padded.write(code, 'latin1');
  const writer = new XdrWriter().uint32(type).fixed(padded);
  return writer.uint32(KEY_TYPE_ED25519).fixed(decodeAccount(issuer)).bytes();
}

function writeClaimants(writer: XdrWriter, claimants: readonly ClaimantSpec[]): void {
  if (claimants.length < 1 || claimants.length > MAX_CLAIMANTS)
    throw new InvalidEnvelope(`a claimable balance has ${claimants.length} claimants.`);
  writer.uint32(claimants.length);
  for (const { account, from, before } of claimants) {
    if ([from, before].some((time) => time !== undefined && (time < 0n || time > MAX_STROOPS)))
      throw new InvalidEnvelope('a time of its claimants is no signed 64-bit number.');
    // Version 0 of a claimant.
    writer.uint32(0).uint32(KEY_TYPE_ED25519).fixed(decodeAccount(account));
    if (from !== undefined && before !== undefined) writer.uint32(PREDICATES.and).uint32(2);
    // Not before: its inner predicate is optional in the XDR, and always there.
    if (from !== undefined)
      writer.uint32(PREDICATES.not).uint32(1).uint32(PREDICATES.beforeAbsoluteTime).int64(from);
    if (before !== undefined) writer.uint32(PREDICATES.beforeAbsoluteTime).int64(before);
    if (from === undefined && before === undefined) writer.uint32(PREDICATES.unconditional);
  }
}
