import { CapstanError } from '../runtime/errors.ts';
import { decodeBase32, encodeBase32 } from './base32.ts';

/**
 * Stellar's text form of keys (SEP-23): base32 of version byte ‖ payload ‖ CRC16-XModem, little-endian. Only the three
 * kinds that an anchor handles: accounts (G…), secret seeds (S…) and muxed accounts (M…).
 */
interface Kind {
  readonly name: string;
  readonly version: number;
  readonly payloadBytes: number;
  readonly characters: number;
}

const ACCOUNT: Kind = { name: 'account (G…)', version: 6 << 3, payloadBytes: 32, characters: 56 };
const SEED: Kind = { name: 'secret seed (S…)', version: 18 << 3, payloadBytes: 32, characters: 56 };
const MUXED: Kind = { name: 'muxed account (M…)', version: 12 << 3, payloadBytes: 40, characters: 69 };

/** The largest id of a muxed account and the largest id memo: 2⁶⁴ − 1. */
export const MAX_UINT64 = 18_446_744_073_709_551_615n;

/** The text is not the strkey it should be. The message never repeats the text: it could be a seed. */
export class InvalidStrkey extends CapstanError {
  constructor(kindName: string) {
    super('invalid_strkey', `Not a valid ${kindName}: check that the key was copied whole, in upper case.`);
  }
}

/** An address that can log in, pay or be paid. */
export interface Address {
  /** G…, the account on the ledger. */
  readonly account: string;
  /** Its 32-byte Ed25519 public key. */
  readonly key: Uint8Array;
  /** The id of a muxed address (SEP-23, CAP-27), 0 … 2⁶⁴ − 1. */
  readonly id?: bigint;
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

function encode(kind: Kind, payload: Uint8Array): string {
  if (payload.length !== kind.payloadBytes) throw new InvalidStrkey(kind.name);
  const bytes = new Uint8Array(kind.payloadBytes + 3);
  bytes[0] = kind.version;
  bytes.set(payload, 1);
  const crc = crc16(bytes.subarray(0, -2));
  bytes[bytes.length - 2] = crc & 0xff;
  bytes[bytes.length - 1] = crc >>> 8;
  return encodeBase32(bytes);
}

function tryDecode(kind: Kind, text: string): Uint8Array | undefined {
  if (text.length !== kind.characters) return undefined;
  const bytes = decodeBase32(text);
  if (bytes?.[0] !== kind.version) return undefined;
  const crc = crc16(bytes.subarray(0, -2));
  const isIntact = bytes.at(-2) === (crc & 0xff) && bytes.at(-1) === crc >>> 8;
  return isIntact ? bytes.subarray(1, -2) : undefined;
}

function decode(kind: Kind, text: string): Uint8Array {
  const payload = tryDecode(kind, text);
  if (!payload) throw new InvalidStrkey(kind.name);
  return payload;
}

/** G… of a 32-byte public key. @throws {InvalidStrkey} for another length. */
export function encodeAccount(key: Uint8Array): string {
  return encode(ACCOUNT, key);
}

/** The 32-byte public key of G…. @throws {InvalidStrkey} */
export function decodeAccount(text: string): Uint8Array {
  return decode(ACCOUNT, text);
}

export function isAccount(text: unknown): text is string {
  return typeof text === 'string' && tryDecode(ACCOUNT, text) !== undefined;
}

/** S… of a 32-byte seed. @throws {InvalidStrkey} for another length. */
export function encodeSeed(seed: Uint8Array): string {
  return encode(SEED, seed);
}

/** The 32 bytes of S…. @throws {InvalidStrkey} */
export function decodeSeed(text: string): Uint8Array {
  return decode(SEED, text);
}

export function isSeed(text: unknown): text is string {
  return typeof text === 'string' && tryDecode(SEED, text) !== undefined;
}

/** M… of a 32-byte public key and an id from 0 to 2⁶⁴ − 1. @throws {InvalidStrkey} for anything else. */
export function encodeMuxed(key: Uint8Array, id: bigint): string {
  if (key.length !== 32 || id < 0n || id > MAX_UINT64) throw new InvalidStrkey(MUXED.name);
  const payload = new Uint8Array(MUXED.payloadBytes);
  payload.set(key);
  new DataView(payload.buffer).setBigUint64(32, id);
  return encode(MUXED, payload);
}

/** Account, key and id of M…. @throws {InvalidStrkey} */
export function decodeMuxed(text: string): Required<Address> {
  const payload = decode(MUXED, text);
  const key = payload.subarray(0, 32);
  const id = new DataView(payload.buffer, payload.byteOffset).getBigUint64(32);
  return { account: encodeAccount(key), key, id };
}

export function isMuxed(text: unknown): text is string {
  return typeof text === 'string' && tryDecode(MUXED, text) !== undefined;
}

/** Reads G… or M…; undefined for everything else (contracts too). */
export function parseAddress(text: string): Address | undefined {
  const key = tryDecode(ACCOUNT, text);
  if (key) return { account: text, key };
  return isMuxed(text) ? decodeMuxed(text) : undefined;
}
