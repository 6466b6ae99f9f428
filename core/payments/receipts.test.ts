import { describe, expect, test } from '@jest/globals';
import { anchorOf, assetOf, direction } from '../../test/support/anchor.ts';
import { newAccount, withdrawalOf } from '../../test/support/transaction.ts';
import { encodeMuxed } from '../keys/strkey.ts';
import type { LedgerPayment } from '../ledger/types.ts';
import { parseAmount } from '../transaction/amount.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { isInbound, matchPayment, memoOf, toReceipt } from './receipts.ts';

const issuer = newAccount();
const account = newAccount();
const customer = newAccount();
const asset = assetOf(
  { issuer, distribution: account },
  { withdrawal: direction({ max: parseAmount('1000') }), dust: parseAmount('0.5') },
);
const otherAccount = newAccount();
const other = assetOf({ code: 'EURT', issuer: newAccount(), distribution: otherAccount });
const anchor = anchorOf([asset, other]);

function payment(changes: Partial<LedgerPayment> = {}): LedgerPayment {
  return {
    id: '4294967297',
    pagingToken: '4294967297',
    type: 'payment',
    transactionHash: 'ab'.repeat(32),
    successful: true,
    from: customer,
    to: account,
    assetId: asset.id,
    amount: parseAmount('100'),
    ledger: 1,
    closedAt: '2026-10-01T12:00:00Z',
    operationIndex: 0,
    sourceAccount: customer,
    memoType: 'id',
    memo: '7',
    ...changes,
  };
}
const expecting = (changes: Partial<Transaction> = {}) =>
  withdrawalOf({
    status: 'pending_user_transfer_start',
    assetId: asset.id,
    anchorAccount: account,
    amountExpected: parseAmount('100'),
    amountFee: parseAmount('1'),
    amountOut: parseAmount('99'),
    transferReceivedAt: null,
    source: null,
    ...changes,
  });

describe('a payment that pays its withdrawal', () => {
  test('exactly keeps what was quoted', () => {
    const decision = matchPayment(payment(), expecting(), anchor);
    expect(decision).toEqual({
      match: expect.objectContaining({ withdrawMemo: '7' }),
      patch: {
        amountIn: parseAmount('100'),
        transferReceivedAt: new Date('2026-10-01T12:00:00Z'),
        stellarTransactionId: 'ab'.repeat(32),
        source: customer,
        userActionRequiredBy: null,
        message: null,
      },
    });
  });

  test.each(['90', '99.9999999', '100.0000001', '110'])(
    'with %s of 100 is taken as it is, its fee to be asked for anew',
    (amount) => {
      const decision = matchPayment(payment({ amount: parseAmount(amount) }), expecting(), anchor);
      expect(decision).toMatchObject({
        patch: { amountIn: parseAmount(amount), amountFee: null, feeDetails: null, amountOut: null },
      });
    },
  );

  test('without an announced amount is taken within the limits', () => {
    const open = expecting({ amountIn: null, amountExpected: null, amountOut: null });
    for (const amount of ['1', '1000'])
      expect(matchPayment(payment({ amount: parseAmount(amount) }), open, anchor)).toHaveProperty('match');
  });

  test('from a muxed sender remembers the muxed address, to pay it back there', () => {
    const fromMuxed = encodeMuxed(Buffer.alloc(32, 3), 5n);
    expect(matchPayment(payment({ fromMuxed }), expecting(), anchor)).toMatchObject({
      patch: { source: fromMuxed },
    });
  });

  test.each(['path_payment_strict_send', 'path_payment_strict_receive'] as const)('may be a %s', (type) => {
    expect(matchPayment(payment({ type }), expecting(), anchor)).toHaveProperty('match');
  });
});

describe('a payment that pays none', () => {
  const sevenMemo = Buffer.alloc(32).fill(7).toString('base64');
  test.each<[string, Partial<LedgerPayment>, Transaction | undefined, string]>([
    ['without a memo', { memoType: 'none' }, undefined, 'no_memo'],
    [
      'with a text memo, though it reads like ours',
      { memoType: 'text', memo: '7' },
      undefined,
      'wrong_memo_type',
    ],
    ['with a hash memo', { memoType: 'hash', memo: sevenMemo }, undefined, 'wrong_memo_type'],
    ['with a return memo', { memoType: 'return', memo: sevenMemo }, undefined, 'wrong_memo_type'],
    ['with a memo that we never gave', {}, undefined, 'unknown_memo'],
    [
      'of what is paid already',
      {},
      expecting({ status: 'pending_anchor', transferReceivedAt: new Date() }),
      'second_payment',
    ],
    [
      'of what is completed',
      {},
      expecting({ status: 'completed', transferReceivedAt: new Date() }),
      'second_payment',
    ],
    ['after its deadline', {}, expecting({ status: 'expired' }), 'late'],
    ['of what has failed', {}, expecting({ status: 'error' }), 'late'],
    ['of what is not ready for it', {}, expecting({ status: 'incomplete' }), 'not_ready'],
    ['of what is under review', {}, expecting({ status: 'pending_anchor' }), 'not_ready'],
    ['in XLM', { assetId: 'native' }, expecting(), 'wrong_asset'],
    ['in another of our assets', { assetId: other.id }, expecting(), 'wrong_asset'],
    ['in the same code of a stranger', { assetId: `SRT:${newAccount()}` }, expecting(), 'wrong_asset'],
    ['of 10 % less and a stroop', { amount: parseAmount('89.9999999') }, expecting(), 'too_small'],
    ['of 10 % more and a stroop', { amount: parseAmount('110.0000001') }, expecting(), 'too_large'],
    [
      'below the minimum',
      { amount: parseAmount('0.99') },
      expecting({ amountExpected: parseAmount('1'), amountIn: null }),
      'too_small',
    ],
    [
      'above the maximum',
      { amount: parseAmount('1000.01') },
      expecting({ amountExpected: parseAmount('1000'), amountIn: null }),
      'too_large',
    ],
    ['that issues tokens to us', { from: issuer }, expecting(), 'account_funding'],
    [
      'that creates our account',
      { type: 'create_account', assetId: 'native', memoType: 'none' },
      undefined,
      'account_funding',
    ],
    [
      'that merges an account into ours',
      { type: 'account_merge', assetId: 'native' },
      undefined,
      'account_funding',
    ],
    ['from another of our own accounts', { from: otherAccount }, expecting(), 'own_transfer'],
    ['by a contract', { type: 'invoke_host_function' }, expecting(), 'contract_transfer'],
  ])('%s', (_what, changes, candidate, unmatched) => {
    expect(matchPayment(payment(changes), candidate, anchor)).toEqual({ unmatched });
  });
});

describe('the memo of a payment', () => {
  test('is its id memo, all 64 bits of it, or the id of our muxed address', () => {
    expect(memoOf(payment({ memo: '18446744073709551615' }))).toBe('18446744073709551615');
    expect(memoOf(payment({ toMuxedId: '12', memoType: 'text', memo: 'hello' }))).toBe('12');
    expect(memoOf(payment({ memoType: 'text', memo: '7' }))).toBeUndefined();
  });
});

describe('what comes in', () => {
  test('is what succeeded, is to us and not from ourselves', () => {
    expect(isInbound(payment(), account)).toBe(true);
    expect(isInbound(payment({ successful: false }), account)).toBe(false);
    expect(isInbound(payment({ to: customer }), account)).toBe(false);
    expect(isInbound(payment({ from: account }), account)).toBe(false);
  });

  test('is kept in full, and alerts unless it is dust or ordinary business', () => {
    const keep = (changes: Partial<LedgerPayment>, unmatched: 'no_memo' | 'own_transfer', known = true) =>
      toReceipt(payment(changes), account, { unmatched }, known ? asset : undefined);
    expect(keep({ toMuxedId: '18446744073709551615' }, 'no_memo')).toEqual({
      id: 4294967297n,
      account,
      transactionHash: 'ab'.repeat(32),
      ledger: 1,
      closedAt: new Date('2026-10-01T12:00:00Z'),
      fromAccount: customer,
      fromMuxed: null,
      toMuxedId: '18446744073709551615',
      assetId: asset.id,
      amount: parseAmount('100'),
      memoType: 'id',
      memo: '7',
      state: 'unmatched',
      reason: 'no_memo',
      isAlert: true,
    });
    expect(keep({ amount: parseAmount('0.4999999') }, 'no_memo').isAlert).toBe(false);
    expect(keep({ amount: parseAmount('0.5') }, 'no_memo').isAlert).toBe(true);
    expect(keep({ amount: 1n }, 'no_memo', false).isAlert).toBe(true);
    expect(keep({}, 'own_transfer').isAlert).toBe(false);
  });

  test('of one contract call in several assets gets a row for each', () => {
    const ids = ['4294967297', '4294967297-1', '4294967297-2'].map(
      (id) => toReceipt(payment({ id }), account, { unmatched: 'contract_transfer' }, asset).id,
    );
    expect(new Set(ids).size).toBe(3);
  });

  test('with a memo that PostgreSQL cannot hold does not stop the recording', () => {
    const receipt = toReceipt(
      payment({ memoType: 'text', memo: 'a\0b' }),
      account,
      { unmatched: 'no_memo' },
      asset,
    );
    expect(receipt.memo).toBe('a\uFFFDb');
  });
});
