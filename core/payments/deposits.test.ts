import { describe, expect, test } from '@jest/globals';
import { anchorOf, assetOf, direction } from '../../test/support/anchor.ts';
import { newAccount, transactionOf } from '../../test/support/transaction.ts';
import type { DepositResult } from '../integration/contract.ts';
import { parseAmount } from '../transaction/amount.ts';
import { NO_FEE, type Fee } from '../transaction/fee.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { decideDeposit } from './deposits.ts';

const distribution = newAccount();
const asset = assetOf(
  { issuer: newAccount(), distribution },
  { deposit: direction({ max: parseAmount('1000') }) },
);
const anchor = anchorOf([asset]);
const now = new Date('2026-10-01T12:00:00Z');

type Said = DepositResult extends infer T ? (T extends unknown ? Omit<T, 'id'> : never) : never;

function decide(transaction: Transaction, said: Said, fee: Fee = NO_FEE) {
  const result: DepositResult = { id: transaction.id, ...said };
  return decideDeposit(transaction, result, { anchor, asset, actor: 'poll-deposits', now, fee });
}
const feeOf = (amount: string): Fee => ({
  total: parseAmount(amount),
  lines: [{ name: 'Fee', amount: parseAmount(amount) }],
});
const arrived = (amount: string, reference = 'b-1'): Said => ({ outcome: 'arrived', amount, reference });
const waiting = (changes: Partial<Transaction> = {}) => transactionOf({ assetId: asset.id, ...changes });
const funded = (changes: Partial<Transaction> = {}) =>
  waiting({
    status: 'pending_anchor',
    amountIn: parseAmount('100'),
    externalTransactionId: 'b-1',
    transferReceivedAt: now,
    ...changes,
  });
const ignored = { ignored: expect.any(String) };
/** Nothing but a note for a person: no status, no payout. */
const noteOf = (text: string) => ({
  change: {
    patch: { attention: expect.stringContaining(text) },
    actor: 'poll-deposits',
    reason: expect.any(String),
  },
});

describe('money that arrived', () => {
  test.each(['pending_user_transfer_start', 'pending_external', 'expired', 'error'] as const)(
    'for a deposit that is %s is paid out less the fee, the amount being the bank’s',
    (status) => {
      const deposit = waiting({ status, amountExpected: parseAmount('5000') });
      expect(decide(deposit, arrived('100'), feeOf('2.5'))).toEqual({
        change: {
          status: 'pending_anchor',
          patch: {
            amountIn: parseAmount('100'),
            externalTransactionId: 'b-1',
            transferReceivedAt: now,
            userActionRequiredBy: null,
            message: null,
            amountFee: parseAmount('2.5'),
            feeDetails: feeOf('2.5').lines,
            amountOut: parseAmount('97.5'),
            attention: null,
          },
          actor: 'poll-deposits',
          reason: 'the bank transfer arrived',
          detail: { amount: '100', reference: 'b-1' },
        },
        payout: {
          key: `payout:${deposit.id}`,
          transactionId: deposit.id,
          purpose: 'payout',
          assetId: asset.id,
          source: distribution,
          destination: deposit.destination,
          memoType: null,
          memo: null,
          amount: parseAmount('97.5'),
        },
      });
    },
  );

  test('at the time that the bank names, with the memo that the wallet gave', () => {
    const deposit = waiting({ destinationMemoType: 'hash', destinationMemo: 'aGFzaA==' });
    const decision = decide(deposit, { ...arrived('1'), at: '2026-09-30T01:02:03Z' } as Said);
    expect(decision).toMatchObject({
      change: { patch: { transferReceivedAt: new Date('2026-09-30T01:02:03Z') } },
      payout: { memoType: 'hash', memo: 'aGFzaA==' },
    });
  });

  test.each([
    ['too small', '0.99', NO_FEE, 'amount_too_small'],
    ['too large', '1000.01', NO_FEE, 'amount_too_large'],
    ['eaten by the fee', '2', feeOf('2'), 'nothing_left'],
  ])('but is %s is kept on hold with its reason, and nothing is paid', (_what, amount, fee, code) => {
    const decision = decide(waiting(), arrived(amount), fee);
    expect(decision).not.toHaveProperty('payout');
    expect(decision).toMatchObject({
      change: {
        status: 'on_hold',
        patch: {
          amountIn: parseAmount(amount),
          transferReceivedAt: now,
          externalTransactionId: 'b-1',
          attention: expect.stringContaining(`${code}:`),
        },
      },
    });
  });

  test('with more decimals than the asset has is paid in its decimals, the rest being named in the fee', () => {
    const decision = decide(waiting(), arrived('10.0099'));
    expect(decision).toMatchObject({
      change: { patch: { amountOut: parseAmount('10'), amountFee: parseAmount('0.0099') } },
      payout: { amount: parseAmount('10') },
    });
  });

  test('is recorded once, and a second transfer is left to a person without a second payout', () => {
    expect(decide(funded(), arrived('100'))).toEqual(ignored);
    const second = decide(funded(), arrived('100', 'b-2'));
    expect(second).toEqual(noteOf('reference b-2'));
    const { attention } = (second as { change: { patch: { attention: string } } }).change.patch;
    expect(decide(funded({ attention }), arrived('100', 'b-2'))).toEqual(ignored);
  });

  test('for a held deposit is recorded and stays held; for one under review it waits for the approval too', () => {
    const held = waiting({ status: 'on_hold', attention: 'held by the integration: odd' });
    const review = waiting({ status: 'pending_anchor' });
    for (const [deposit, status, attention] of [
      [held, undefined, 'held by the integration: odd'],
      [review, 'on_hold', expect.stringContaining('review')],
    ] as const) {
      const decision = decide(deposit, arrived('100'));
      expect(decision).not.toHaveProperty('payout');
      expect(decision).toMatchObject({
        change: { patch: { amountIn: parseAmount('100'), transferReceivedAt: now, attention } },
      });
      expect((decision as { change: { status?: string } }).change.status).toBe(status);
    }
  });
});

describe('an approval', () => {
  test.each(['pending_anchor', 'on_hold'] as const)('of a %s deposit without money asks for it', (status) => {
    expect(decide(waiting({ status }), { outcome: 'approved' })).toMatchObject({
      change: { status: 'pending_user_transfer_start' },
    });
  });

  test('of a held deposit pays it out whatever the limits', () => {
    const held = funded({ status: 'on_hold', amountIn: parseAmount('0.5') });
    expect(decide(held, { outcome: 'approved' }, feeOf('0.1'))).toMatchObject({
      change: { status: 'pending_anchor', patch: { amountOut: parseAmount('0.4'), attention: null } },
      payout: { amount: parseAmount('0.4'), key: `payout:${held.id}` },
    });
  });

  test('pays only what did not go back to the bank, in the decimals of the asset', () => {
    const refunds = [
      { id: 'r-1', idType: 'external' as const, amount: parseAmount('30'), fee: parseAmount('1') },
    ];
    const decision = decide(funded({ status: 'on_hold', refunds }), { outcome: 'approved' }, feeOf('1.015'));
    expect(decision).toMatchObject({ payout: { amount: parseAmount('67.99') } });
  });

  test('of what the fee eats is left to a person', () => {
    expect(decide(funded({ status: 'on_hold' }), { outcome: 'approved' }, feeOf('100'))).toEqual(
      noteOf('leave nothing'),
    );
  });

  test.each([
    ['is waiting for its money', waiting()],
    ['is being paid', funded({ status: 'pending_stellar' })],
    ['is in payment', funded()],
    ['is a lapsed one', waiting({ status: 'expired' })],
  ])('of a deposit that %s changes nothing', (_what, deposit) => {
    expect(decide(deposit, { outcome: 'approved' })).toEqual(ignored);
  });
});

describe('a hold', () => {
  const held = { outcome: 'held', reason: 'name differs', message: 'We are checking.' } as const;
  test.each([
    ['before its money', waiting()],
    ['in payment', funded()],
  ])('of a deposit %s puts it on hold', (_what, deposit) => {
    expect(decide(deposit, held)).toMatchObject({
      change: {
        status: 'on_hold',
        patch: { message: 'We are checking.', attention: 'held by the integration: name differs' },
      },
    });
  });

  test('said twice changes nothing the second time', () => {
    expect(decide(waiting({ status: 'on_hold' }), held)).toEqual(ignored);
  });

  test.each(['pending_anchor', 'expired', 'pending_external'] as const)(
    'of a deposit without money that is %s is a note for a person',
    (status) => {
      expect(decide(waiting({ status }), held)).toEqual(noteOf('name differs'));
    },
  );
});

describe('a refusal', () => {
  const refused = { outcome: 'refused', reason: 'sanctions', message: 'Not possible.' } as const;
  test('before money came ends the deposit', () => {
    expect(decide(waiting(), refused)).toMatchObject({
      change: { status: 'error', patch: { message: 'Not possible.' } },
    });
  });
  test('after money came tells a person, and orders what is left of it back', () => {
    const refunds = [{ id: 'r-0', idType: 'external', amount: parseAmount('30'), fee: 0n }] as const;
    const decided = decide(funded({ status: 'on_hold', refunds }), refused);
    expect(decided).toMatchObject(noteOf('must go back'));
    expect(decided).toMatchObject({ wayBack: { amount: parseAmount('70'), reason: 'sanctions' } });
  });
  test.each(['held', 'approved', 'refused'] as const)(
    'of nothing but its refund counts while the money goes back: %s pays nothing',
    (outcome) => {
      const goingBack = funded({ status: 'pending_external' });
      const said = outcome === 'approved' ? { outcome } : { outcome, reason: 'r' };
      const decided = decide(goingBack, said);
      expect(decided).not.toHaveProperty('payout');
      expect(decided).not.toHaveProperty('wayBack');
      expect(decided).not.toHaveProperty('change.status');
    },
  );
});

describe('money that the bank sent back', () => {
  const back = (amount: string, reference = 'r-1', fee?: string): Said => ({
    outcome: 'refunded',
    amount,
    reference,
    ...(fee !== undefined && { fee }),
  });
  const held = (changes: Partial<Transaction> = {}) => funded({ status: 'on_hold', ...changes });

  test('as a whole, its fee included, ends the deposit as refunded', () => {
    expect(decide(held(), back('98', 'r-1', '2'))).toMatchObject({
      change: {
        status: 'refunded',
        patch: {
          refunds: [{ id: 'r-1', idType: 'external', amount: parseAmount('98'), fee: parseAmount('2') }],
          amountOut: 0n,
        },
      },
    });
  });

  test('in two parts is refunded with the second', () => {
    const first = decide(held(), back('40'));
    expect(first).toMatchObject({ change: { patch: { attention: expect.stringContaining('60 is left') } } });
    expect((first as { change: { status?: string } }).change.status).toBeUndefined();
    const { refunds } = (first as { change: { patch: Partial<Transaction> } }).change.patch;
    expect(decide(held({ refunds: refunds! }), back('40'))).toEqual(ignored);
    expect(decide(held({ refunds: refunds! }), back('60', 'r-2'))).toMatchObject({
      change: { status: 'refunded', patch: { refunds: [{ id: 'r-1' }, { id: 'r-2' }] } },
    });
  });

  test.each([
    ['more than arrived', held(), '100.01'],
    ['of a deposit that is paid', funded({ status: 'completed' }), '100'],
    ['of a deposit that is in payment', funded(), '100'],
  ])('%s is left to a person', (_what, deposit, amount) => {
    expect(decide(deposit, back(amount))).toEqual(noteOf('sent'));
  });

  test('before we knew of it ends the deposit in error', () => {
    expect(decide(waiting(), back('100'))).toMatchObject({ change: { status: 'error' } });
  });
});

test('a withdrawal is moved by no result of deposits/poll', () => {
  expect(decide(waiting({ kind: 'withdrawal' }), arrived('100'))).toEqual(ignored);
});
