import { createPrivateKey, createPublicKey } from 'node:crypto';

/**
 * Stellar's own spelling of keys (SEP-23, "strkey"): base32 of a version byte, 32 bytes and a CRC16-XModem. Written
 * here because the SDK costs half a second to load, and every process reads the spec.
 */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ACCOUNT_VERSION = 6 << 3;
const SEED_VERSION = 18 << 3;
const STRKEY = /^[A-Z2-7]{56}$/;
/** PKCS #8 header of an Ed25519 private key (RFC 8410); the 32 bytes of the seed follow. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Whether the text is an account's public key (`G…`) with a right checksum. */
export function isAccountKey(text: string): boolean {
  return decode(text, ACCOUNT_VERSION) !== undefined;
}

/** Whether the text is an account's secret seed (`S…`) with a right checksum. */
export function isSeed(text: string): boolean {
  return decode(text, SEED_VERSION) !== undefined;
}

/** The account (`G…`) that a seed (`S…`) signs for, or undefined if the text is not a seed. */
export function accountOfSeed(seed: string): string | undefined {
  const bytes = decode(seed, SEED_VERSION);
  if (!bytes) return undefined;
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, bytes]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return encode(ACCOUNT_VERSION, spki.subarray(-32));
}

/** The 32 bytes of a strkey, or undefined if its alphabet, length, version or checksum is wrong. */
function decode(text: string, version: number): Buffer | undefined {
  if (!STRKEY.test(text)) return undefined;
  const bytes = Buffer.alloc(35);
  let bits = 0;
  let length = 0;
  let at = 0;
  for (const character of text) {
    bits = (bits << 5) | ALPHABET.indexOf(character);
    length += 5;
    if (length >= 8) {
      length -= 8;
      bytes[at++] = bits >> length;
      bits &= (1 << length) - 1;
    }
  }
  if (bytes[0] !== version || bytes.readUInt16LE(33) !== checksum(bytes.subarray(0, 33))) return undefined;
  return bytes.subarray(1, 33);
}

function encode(version: number, key: Uint8Array): string {
  const bytes = Buffer.concat([Buffer.of(version), key, Buffer.alloc(2)]);
  bytes.writeUInt16LE(checksum(bytes.subarray(0, 33)), 33);
  let text = '';
  let bits = 0;
  let length = 0;
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    length += 8;
    while (length >= 5) {
      length -= 5;
      text += ALPHABET[bits >> length] ?? '';
      bits &= (1 << length) - 1;
    }
  }
  return text;
}

function checksum(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}
