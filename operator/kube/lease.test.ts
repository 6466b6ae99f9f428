import { describe, expect, test } from '@jest/globals';
import { freeAt, held, holderOf, released, see } from './lease.ts';
import type { Lease } from './lease.ts';

const ref = { namespace: 'capstan', name: 'operator' };
const mine = (nowMs: number, before?: Lease, identity = 'one') =>
  held({ ref, identity, leaseMs: 15_000, nowMs, before });

describe('a lease', () => {
  test('carries times with six digits of a second, which the server insists on', () => {
    expect(mine(1_700_000_000_123).spec?.renewTime).toBe('2023-11-14T22:13:20.123000Z');
  });

  test('counts from when it changed before our eyes, whatever the date in it', () => {
    const lease = mine(0);
    const first = see(lease, undefined, 50_000);
    const again = see(structuredClone(lease), first, 60_000);
    expect(again.sinceMs).toBe(50_000);
    expect(freeAt(again, 15_000)).toBe(65_000);
    const renewed = see(mine(2_000, lease), again, 61_000);
    expect(freeAt(renewed, 15_000)).toBe(76_000);
  });

  test('of a holder with a longer term is respected for that term', () => {
    const slow = held({ ref, identity: 'other', leaseMs: 60_000, nowMs: 0 });
    expect(freeAt(see(slow, undefined, 0), 15_000)).toBe(60_000);
  });

  test('is free at once when it was given back', () => {
    const given = released(ref, mine(0), 5_000);
    expect(holderOf(given)).toBeUndefined();
    expect(freeAt(see(given, undefined, 9_000), 15_000)).toBe(9_000);
  });

  test('counts a transition when the holder changes, not when it renews', () => {
    const first = { ...mine(0), metadata: { name: 'operator', resourceVersion: '7' } };
    const renewed = mine(2_000, first);
    expect(renewed.spec?.leaseTransitions).toBe(0);
    expect(renewed.spec?.acquireTime).toBe(first.spec?.acquireTime);
    const taken = mine(90_000, first, 'two');
    expect(taken.spec).toMatchObject({ leaseTransitions: 1, holderIdentity: 'two' });
    expect(taken.metadata.resourceVersion).toBe('7');
    expect(mine(91_000, released(ref, first, 90_000)).spec?.leaseTransitions).toBe(1);
  });
});
