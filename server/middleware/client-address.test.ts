import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clientAddress, limitKey, parseTrustedProxies, ProxyRangeInvalid } from './client-address.ts';

const trusted = parseTrustedProxies(['10.0.0.0/8', 'fd00::/8', '192.0.2.1']);

describe('clientAddress', () => {
  test.each([
    ['no proxy', '203.0.113.5', '', '203.0.113.5'],
    ['a stranger who names another', '203.0.113.5', '1.2.3.4', '203.0.113.5'],
    ['one trusted proxy', '10.1.1.1', '203.0.113.5', '203.0.113.5'],
    ['two trusted proxies', '10.1.1.1', '203.0.113.5, 10.2.2.2', '203.0.113.5'],
    ['a single trusted address', '192.0.2.1', '203.0.113.5', '203.0.113.5'],
    ['a neighbour of the single address', '192.0.2.2', '203.0.113.5', '192.0.2.2'],
    ['what the caller wrote before the proxy', '10.1.1.1', '127.0.0.1, 203.0.113.5', '203.0.113.5'],
    ['a trusted address that the caller claims', '10.1.1.1', '10.9.9.9, 203.0.113.5', '203.0.113.5'],
    ['a proxy without the header', '10.1.1.1', '', '10.1.1.1'],
    ['an unreadable entry', '10.1.1.1', '203.0.113.5, unknown', '10.1.1.1'],
    ['an entry in octal', '10.1.1.1', '0177.0.0.1', '10.1.1.1'],
    ['an entry as one number', '10.1.1.1', '2130706433', '10.1.1.1'],
    ['only proxies', '10.1.1.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
    ['a port', '10.1.1.1', '203.0.113.5:4711', '203.0.113.5'],
    ['IPv6 with brackets and port', 'fd00::1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['IPv6 without', 'fd00::1', '2001:DB8:0::7', '2001:db8::7'],
    ['an IPv4-mapped connection', '::ffff:10.1.1.1', '203.0.113.5', '203.0.113.5'],
    ['an IPv4-mapped caller', '::ffff:203.0.113.5', '', '203.0.113.5'],
  ])('%s', (_what, remote, header, expected) => {
    expect(clientAddress(remote, header, trusted)).toBe(expected);
  });

  test('a closed connection has no address', () => {
    expect(clientAddress(undefined, '203.0.113.5', trusted)).toBe('unknown');
  });

  test('nothing that a caller writes before the proxy changes who it is', () => {
    fc.assert(
      fc.property(fc.string(), (claimed) => {
        expect(clientAddress('10.1.1.1', `${claimed}, 203.0.113.5`, trusted)).toBe('203.0.113.5');
        expect(clientAddress('203.0.113.5', claimed, trusted)).toBe('203.0.113.5');
      }),
    );
  });

  test.each(['10.0.0.0/33', 'everyone', '', '10.0.0'])('%p is refused as a range', (range) => {
    expect(() => parseTrustedProxies([range])).toThrow(ProxyRangeInvalid);
  });
});

describe('limitKey', () => {
  test.each([
    ['203.0.113.5', '203.0.113.5'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::1', '2001:db8:1:2::/64'],
    ['unknown', 'unknown'],
  ])('counts %s as %s', (address, key) => {
    expect(limitKey(address)).toBe(key);
  });
});
