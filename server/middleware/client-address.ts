import ipaddr from 'ipaddr.js';
import { CapstanError } from '../../core/runtime/errors.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Address ranges whose `X-Forwarded-For` is believed. */
export type TrustedProxies = readonly (readonly [Address, number])[];

export class ProxyRangeInvalid extends CapstanError {
  constructor(range: string) {
    super('proxy_range_invalid', `"${range}" is no address range; write it like 10.0.0.0/8 or fd00::/8.`);
  }
}

/** More hops than this are not looked at: nobody has them, and a stranger may send any number. */
const MAX_HOPS = 32;

/** Callers and proxies come again and again, and reading an address costs more than many an answer. */
const MAX_KEPT = 2_000;
const kept = new Map<string, Address | undefined>();

function keptAddress(text: string): Address | undefined {
  if (kept.has(text)) return kept.get(text);
  const address = readAddress(text);
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(text, address);
  return address;
}

/** An address as proxies write it: bare, `1.2.3.4:5678`, `[::1]` or `[::1]:80`; an IPv4-mapped one becomes IPv4. */
function readAddress(text: string): Address | undefined {
  const trimmed = text.trim();
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(trimmed)?.[1] ?? /^([\d.]+):\d+$/.exec(trimmed)?.[1] ?? trimmed;
  const isWhole = ipaddr.IPv4.isValidFourPartDecimal(bare) || ipaddr.IPv6.isValid(bare);
  return isWhole ? ipaddr.process(bare) : undefined;
}

/** Reads CIDR ranges or single addresses. @throws ProxyRangeInvalid */
export function parseTrustedProxies(ranges: readonly string[]): TrustedProxies {
  return ranges.map((range) => {
    const [text = '', bits] = range.split('/', 2);
    const address = text.includes(':') ? readAddress(`[${text}]`) : readAddress(text);
    if (address === undefined || (bits !== undefined && !ipaddr.isValidCIDR(range)))
      throw new ProxyRangeInvalid(range);
    return bits === undefined ? [address, address.kind() === 'ipv4' ? 32 : 128] : ipaddr.parseCIDR(range);
  });
}

const isTrusted = (address: Address, trusted: TrustedProxies): boolean =>
  trusted.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));

/**
 * Who called: starting at the connection's own address, each hop that is a trusted proxy is believed about the one
 * before it, and the first that is not trusted is the caller. An unreadable entry ends the walk: what stands left of
 * it was written by a stranger.
 *
 * @param remote the address of the TCP connection
 * @param forwardedFor the `X-Forwarded-For` header, several joined by commas
 */
export function clientAddress(
  remote: string | undefined,
  forwardedFor: string,
  trusted: TrustedProxies,
): string {
  let client = remote === undefined ? undefined : keptAddress(remote);
  if (client === undefined) return 'unknown';
  const hops = forwardedFor.split(',').slice(-MAX_HOPS);
  while (isTrusted(client, trusted)) {
    const hop = hops.pop();
    const address = hop === undefined ? undefined : keptAddress(hop);
    if (address === undefined) break;
    client = address;
  }
  return client.toString();
}

/**
 * What is counted as one caller: an IPv4 address, or the /64 of an IPv6 address, which is what one household gets.
 */
export function limitKey(client: string): string {
  if (!ipaddr.IPv6.isValid(client)) return client;
  return `${ipaddr.IPv6.parse(client)
    .parts.slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
