/** What stellar-core asks of a point of edwards25519 before it verifies (libsodium's ge25519_has_small_order, …_is_canonical). */

/**
 * The encodings, sign bit cleared, of the points of small order. Whoever "signs" with such a key needs no secret.
 * stellar-core (libsodium) refuses them, and so must we: GAAAA…AWHF is one of them. OpenSSL 3.0 accepts their forged
 * signatures, that of Node 24.21 does not; nothing rests on which one we run on.
 */
const SMALL_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

export function hasSmallOrder(point: Uint8Array): boolean {
  const last = point[31] ?? 0;
  // Cheap first look: a point of small order begins with one of seven bytes; hardly any key goes on from here.
  if (![0x00, 0x01, 0x26, 0xc7, 0xec, 0xed, 0xee].includes(point[0] ?? 0)) return false;
  const unsigned = Buffer.from(point);
  unsigned[31] = last & 0x7f;
  return SMALL_ORDER.has(unsigned.toString('hex'));
}

/** Whether the y coordinate is below the field's prime 2²⁵⁵ − 19, as stellar-core demands of a public key. */
export function isCanonical(point: Uint8Array): boolean {
  if (((point[31] ?? 0) & 0x7f) !== 0x7f || (point[0] ?? 0) < 0xed) return true;
  return point.subarray(1, 31).some((byte) => byte !== 0xff);
}
