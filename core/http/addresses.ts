import ipaddr from 'ipaddr.js';

/**
 * Which IP addresses a stranger's URL may lead to. Only what is known to be public is: a range that nobody thought of
 * is refused.
 */

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether `address` is a public unicast address. Not private, loopback, link-local, shared (CGNAT), multicast,
 * documentation, benchmarking or reserved, nor an IPv6 address that carries an IPv4 address (mapped, compatible, NAT64,
 * 6to4, Teredo) and with it could lead to one of these (RFC 6890 and the IANA special-purpose registries).
 */
export function isPublicAddress(address: string): boolean {
  const parsed = parse(address);
  if (parsed?.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_UNICAST);
}

/** Whether `address` is this machine: 127.0.0.0/8 or ::1. */
export function isLoopbackAddress(address: string): boolean {
  return parse(address)?.range() === 'loopback';
}

function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  // The shorthands of inet_aton ("127.1", "0x7f.1") are no addresses here; neither is one with a zone ("fe80::1%eth0").
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return ipaddr.IPv4.parse(address);
  if (address.includes('%') || !ipaddr.IPv6.isValid(address)) return undefined;
  return ipaddr.IPv6.parse(address);
}
