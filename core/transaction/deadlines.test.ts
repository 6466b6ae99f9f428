import { describe, expect, test } from '@jest/globals';
import { deadlineOf } from './deadlines.ts';
import type { Status } from './status.ts';
import type { Transaction } from './transaction.ts';

const deadlines = {
  userActionRequiredMs: 3_000,
  abandonedAfterMs: 1_000,
  pendingTrustMs: 2_000,
  expiredGraceMs: 9_000,
};
const enteredAt = 1_000_000;
const of = (status: Status, ownMs: number | null): number | undefined => {
  const userActionRequiredBy = ownMs === null ? null : new Date(ownMs);
  const transaction = { status, userActionRequiredBy, updatedAt: new Date(enteredAt) } as Transaction;
  return deadlineOf(transaction, deadlines)?.getTime();
};

describe('a deadline', () => {
  test.each([
    ['incomplete', enteredAt + 1_000],
    ['pending_user_transfer_start', enteredAt + 3_000],
    ['pending_trust', enteredAt + 2_000],
    ['pending_user', undefined],
  ] as const)('of %s is the anchor’s, counted from when the state was entered', (status, expected) => {
    expect(of(status, null)).toBe(expected);
  });

  test('of the row goes before the anchor’s', () => {
    expect(of('pending_user_transfer_start', enteredAt + 500)).toBe(enteredAt + 500);
  });

  test('that had passed before the state was entered does not count', () => {
    expect(of('pending_user_transfer_start', enteredAt - 500)).toBe(enteredAt + 3_000);
  });

  test.each(['pending_anchor', 'pending_stellar', 'on_hold', 'completed', 'expired'] as const)(
    'is not told in %s, which waits for nobody',
    (status) => {
      expect(of(status, enteredAt + 500)).toBeUndefined();
    },
  );
});
