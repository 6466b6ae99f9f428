import { describe, expect, test } from '@jest/globals';
import { newAccount, withdrawalOf } from '../../test/support/transaction.ts';
import { encodeMuxed } from '../keys/strkey.ts';
import { parseAmount } from '../transaction/amount.ts';
import { FINAL, STATUSES } from '../transaction/status.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { decideWithdrawal, refundable, refundOf, type WithdrawalOutcome } from './withdrawals.ts';

const decide = (withdrawal: Transaction, outcome: WithdrawalOutcome) =>
  decideWithdrawal(withdrawal, outcome, 'watcher');
const ignored = { ignored: expect.any(String) };
const unfunded = (changes: Partial<Transaction> = {}) =>
  withdrawalOf({
    transferReceivedAt: null,
    status: 'pending_user_transfer_start',
    source: null,
    ...changes,
  });

/** Everything that an integration can say of money that it has. */
const SAID: readonly WithdrawalOutcome[] = [
  { outcome: 'completed', reference: 'b-1' },
  { outcome: 'pending_external', reference: 'b-1', eta: 60 },
  { outcome: 'pending_user_transfer_complete', message: 'Collect it.' },
  { outcome: 'on_hold', reason: 'name differs' },
  { outcome: 'error', reason: 'account closed' },
  { outcome: 'refund', reason: 'account closed' },
];

describe('the word of the integration', () => {
  test.each(SAID)('$outcome changes nothing before the tokens are here', (outcome) => {
    for (const status of ['pending_user_transfer_start', 'pending_anchor', 'expired'] as const)
      expect(decide(unfunded({ status }), outcome)).toEqual(ignored);
  });

  test.each(SAID)('$outcome changes nothing that is final', (outcome) => {
    for (const status of FINAL) expect(decide(withdrawalOf({ status }), outcome)).toEqual(ignored);
  });

  test.each(SAID)('$outcome said again, when it is so already, changes nothing', (outcome) => {
    if (outcome.outcome === 'refund') return;
    const status = STATUSES.find((one) => one === outcome.outcome)!;
    expect(decide(withdrawalOf({ status }), outcome)).toEqual(ignored);
  });

  test('that it is paid completes it, with the reference and what the customer got', () => {
    expect(decide(withdrawalOf(), { outcome: 'completed', reference: 'b-1' })).toEqual({
      change: {
        status: 'completed',
        patch: { message: null, attention: null, externalTransactionId: 'b-1' },
        actor: 'watcher',
        reason: expect.any(String),
      },
    });
    expect(decide(withdrawalOf(), { outcome: 'completed', reference: 'b-1', amount: '99' })).toMatchObject({
      change: { patch: { amountOut: parseAmount('99') } },
    });
  });

  test('that it is under way, ready or held is its status, with what the customer and support see', () => {
    expect(decide(withdrawalOf(), SAID[1]!)).toMatchObject({
      change: { status: 'pending_external', patch: { externalTransactionId: 'b-1', statusEta: 60 } },
    });
    expect(decide(withdrawalOf(), SAID[2]!)).toMatchObject({
      change: { status: 'pending_user_transfer_complete', patch: { message: 'Collect it.' } },
    });
    expect(decide(withdrawalOf(), SAID[3]!)).toMatchObject({
      change: { status: 'on_hold', patch: { attention: expect.stringContaining('name differs') } },
    });
    expect(decide(withdrawalOf(), SAID[4]!)).toMatchObject({
      change: { status: 'error', patch: { attention: expect.stringContaining('account closed') } },
    });
  });

  test('that the review ended moves only what is under review', () => {
    const review = unfunded({ status: 'pending_anchor' });
    expect(decide(review, { outcome: 'approved' })).toMatchObject({
      change: { status: 'pending_user_transfer_start' },
    });
    expect(decide(review, { outcome: 'refused', reason: 'sanctions' })).toMatchObject({
      change: { status: 'error' },
    });
    for (const outcome of [{ outcome: 'approved' }, { outcome: 'refused', reason: 'no' }] as const) {
      expect(decide(withdrawalOf(), outcome)).toEqual(ignored);
      expect(decide(unfunded(), outcome)).toEqual(ignored);
    }
  });

  test('about a deposit changes nothing', () => {
    expect(decide(withdrawalOf({ kind: 'deposit' }), SAID[0]!)).toEqual(ignored);
  });
});

describe('a refund', () => {
  const refund = (amount?: string): WithdrawalOutcome => ({
    outcome: 'refund',
    reason: 'account closed',
    ...(amount !== undefined && { amount }),
  });
  const refunds = [{ id: 'aa', idType: 'stellar' as const, amount: parseAmount('40'), fee: 0n }];

  test('of all goes back to who paid, from where it came in, with the memo of the payment', () => {
    const withdrawal = withdrawalOf();
    expect(decide(withdrawal, refund())).toMatchObject({
      change: { patch: { attention: null }, reason: expect.stringContaining('100') },
      refund: {
        key: `refund:${withdrawal.id}:1`,
        purpose: 'refund',
        source: withdrawal.anchorAccount,
        destination: withdrawal.source,
        amount: parseAmount('100'),
        memoType: 'id',
        memo: '7',
      },
    });
  });

  test.each(['pending_external', 'on_hold', 'pending_user_transfer_complete', 'error'] as const)(
    'of one that is %s brings it back to pending_anchor',
    (status) => {
      expect(decide(withdrawalOf({ status }), refund('10'))).toMatchObject({
        change: { status: 'pending_anchor' },
        refund: { amount: parseAmount('10') },
      });
    },
  );

  test('asked twice before it is settled has one key, afterwards another', () => {
    const withdrawal = withdrawalOf();
    const keys = [withdrawal, withdrawal, { ...withdrawal, refunds }].map((one) => refundOf(one, 1n)?.key);
    expect(keys).toEqual([1, 1, 2].map((n) => `refund:${withdrawal.id}:${n}`));
  });

  test('of more than is left of what was received is left to a person, and noted once', () => {
    const withdrawal = withdrawalOf({ refunds });
    expect(refundable(withdrawal)).toBe(parseAmount('60'));
    const decision = decide(withdrawal, refund('60.0000001'));
    expect(decision).not.toHaveProperty('refund');
    const { attention } = (decision as { change: { patch: { attention: string } } }).change.patch;
    expect(attention).toContain('only 60 is left');
    expect(decide({ ...withdrawal, attention }, refund('60.0000001'))).toEqual(ignored);
    expect(decide(withdrawal, refund())).toMatchObject({ refund: { amount: parseAmount('60') } });
    const whole = [{ ...refunds[0]!, amount: parseAmount('100') }];
    expect(decide(withdrawalOf({ refunds: whole }), refund())).not.toHaveProperty('refund');
  });

  test('to a muxed sender has no memo beside it, unless the wallet named one', () => {
    const source = encodeMuxed(Buffer.alloc(32, 1), 2n ** 63n);
    expect(refundOf(withdrawalOf({ source }), 1n)).toMatchObject({
      destination: source,
      memo: null,
      memoType: null,
    });
    const named = withdrawalOf({ source: newAccount(), refundMemo: 'back', refundMemoType: 'text' });
    expect(refundOf(named, 1n)).toMatchObject({ memo: 'back', memoType: 'text' });
  });

  test('to a sender that nobody knows is left to a person', () => {
    const decision = decide(withdrawalOf({ source: null }), refund());
    expect(decision).not.toHaveProperty('refund');
    expect(decision).toMatchObject({
      change: { patch: { attention: expect.stringContaining('not known') } },
    });
  });
});
