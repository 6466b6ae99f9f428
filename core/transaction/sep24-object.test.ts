import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAmount } from './amount.ts';
import { STATUSES } from './status.ts';
import type { Transaction } from './transaction.ts';
import { serializeTransaction, settleAmounts } from './sep24-object.ts';
import { transactionOf } from '../../test/support/transaction.ts';
import { DEADLINES, newAccount, newAsset } from '../../server/sep24/testing/fixture.ts';

const asset = newAsset();
const moreInfoUrl = 'https://anchor.example/more?token=1';
const context = { anchor: { assets: [asset], deadlines: DEADLINES }, moreInfoUrl };
const startedAt = new Date('2026-01-01T00:00:00.000Z');
const updatedAt = new Date('2026-01-02T00:00:00.000Z');
const due = new Date('2026-01-09T00:00:00.000Z');

const newTransaction = (extra: Partial<Transaction> = {}): Transaction =>
  transactionOf({
    id: '11111111-2222-4333-8444-555555555555',
    kind: 'withdrawal',
    status: 'incomplete',
    assetId: asset.id,
    subject: 'GCUSTOMER:7',
    destination: null,
    startedAt,
    updatedAt,
    ...extra,
  });
const serialize = (extra: Partial<Transaction>) => serializeTransaction(newTransaction(extra), context);
const refund = (amount: string, fee = '0') => ({
  id: 'ab'.repeat(32),
  idType: 'stellar' as const,
  amount: parseAmount(amount),
  fee: parseAmount(fee),
});

describe('the transaction object', () => {
  test('of a deposit that is done has every field that its kind has', () => {
    const destination = newAccount();
    expect(
      serialize({
        kind: 'deposit',
        status: 'completed',
        amountIn: parseAmount('100'),
        amountFee: parseAmount('1.5'),
        amountOut: parseAmount('98.5'),
        feeDetails: [
          { name: 'Wire', description: 'By wire', amount: parseAmount('1') },
          { name: 'Service', amount: parseAmount('0.5') },
        ],
        destination,
        destinationMemoType: 'id',
        destinationMemo: '7',
        claimableBalanceId: '00'.repeat(36),
        externalTransactionId: 'BANK-1',
        stellarTransactionId: 'ab'.repeat(32),
        quoteId: 'q1',
        message: 'done',
        statusEta: 60,
        transferReceivedAt: updatedAt,
        completedAt: updatedAt,
        userActionRequiredBy: due,
        attention: 'not for customers',
      }),
    ).toEqual({
      id: '11111111-2222-4333-8444-555555555555',
      kind: 'deposit',
      status: 'completed',
      status_eta: 60,
      more_info_url: moreInfoUrl,
      amount_in: '100',
      amount_in_asset: `stellar:${asset.id}`,
      amount_out: '98.5',
      amount_out_asset: `stellar:${asset.id}`,
      amount_fee: '1.5',
      amount_fee_asset: `stellar:${asset.id}`,
      fee_details: {
        total: '1.5',
        asset: `stellar:${asset.id}`,
        breakdown: [
          { name: 'Wire', description: 'By wire', amount: '1' },
          { name: 'Service', amount: '0.5' },
        ],
        details: [
          { name: 'Wire', description: 'By wire', amount: '1' },
          { name: 'Service', amount: '0.5' },
        ],
      },
      quote_id: 'q1',
      started_at: '2026-01-01T00:00:00.000Z',
      updated_at: '2026-01-02T00:00:00.000Z',
      completed_at: '2026-01-02T00:00:00.000Z',
      stellar_transaction_id: 'ab'.repeat(32),
      external_transaction_id: 'BANK-1',
      message: 'done',
      refunded: false,
      from: null,
      to: destination,
      deposit_memo: '7',
      deposit_memo_type: 'id',
      claimable_balance_id: '00'.repeat(36),
    });
  });

  test('of a new withdrawal has what strict clients want, as null where it is not known', () => {
    const source = newAccount();
    expect(serialize({ source, amountExpected: parseAmount('5') })).toEqual({
      id: '11111111-2222-4333-8444-555555555555',
      kind: 'withdrawal',
      status: 'incomplete',
      more_info_url: moreInfoUrl,
      amount_in: null,
      amount_in_asset: `stellar:${asset.id}`,
      amount_out: null,
      amount_out_asset: `stellar:${asset.id}`,
      amount_fee: null,
      amount_fee_asset: `stellar:${asset.id}`,
      started_at: '2026-01-01T00:00:00.000Z',
      updated_at: '2026-01-02T00:00:00.000Z',
      completed_at: null,
      user_action_required_by: '2026-01-03T00:00:00.000Z',
      stellar_transaction_id: null,
      external_transaction_id: null,
      message: null,
      refunded: false,
      from: source,
      to: null,
      withdraw_anchor_account: null,
      withdraw_memo: null,
      withdraw_memo_type: null,
    });
  });

  /** Per status: the deadline that the customer is told, and whether an unpaid withdrawal's memo is told. */
  const table: Record<(typeof STATUSES)[number], [deadline: 'own' | 'none', isMemoTold: boolean]> = {
    incomplete: ['own', false],
    pending_user_transfer_start: ['own', true],
    pending_user_transfer_complete: ['none', false],
    pending_external: ['none', false],
    pending_anchor: ['none', false],
    on_hold: ['none', false],
    pending_stellar: ['none', false],
    pending_trust: ['own', false],
    pending_user: ['own', false],
    completed: ['none', false],
    refunded: ['none', false],
    expired: ['none', false],
    no_market: ['none', false],
    too_small: ['none', false],
    too_large: ['none', false],
    error: ['none', false],
  };

  test.each(STATUSES)('in %s tells deadline, memo and amounts as the state has them', (status) => {
    const [deadline, isMemoTold] = table[status];
    const unpaid = {
      status,
      anchorAccount: 'GANCHOR',
      withdrawMemo: '9007199254740991',
      userActionRequiredBy: due,
      amountExpected: parseAmount('20'),
      amountFee: parseAmount('1'),
      amountOut: parseAmount('19'),
    };
    const told = serialize(unpaid);
    expect(told).toMatchObject({ status, refunded: status === 'refunded' });
    expect(told['user_action_required_by']).toBe(deadline === 'own' ? due.toISOString() : undefined);
    expect(told).toMatchObject(
      isMemoTold
        ? {
            withdraw_anchor_account: 'GANCHOR',
            withdraw_memo: '9007199254740991',
            withdraw_memo_type: 'id',
          }
        : { withdraw_anchor_account: null, withdraw_memo: null, withdraw_memo_type: null },
    );
    expect(told['amount_in']).toBe(status === 'incomplete' ? null : '20');
    const paid = serialize({ ...unpaid, transferReceivedAt: updatedAt, amountIn: parseAmount('20') });
    expect(paid).toMatchObject({ withdraw_memo: '9007199254740991', withdraw_memo_type: 'id' });
  });

  test('without a deadline of its own tells the anchor’s for the state', () => {
    expect(serialize({ status: 'pending_trust' })['user_action_required_by']).toBe(
      '2026-01-04T00:00:00.000Z',
    );
    expect(serialize({ status: 'pending_user' })).not.toHaveProperty('user_action_required_by');
  });

  test('names the currency on the other side only where the anchor says which it is', () => {
    const backed = newAsset({ id: asset.id, anchored: { type: 'fiat', asset: 'USD' } });
    const of = (extra: Partial<Transaction>, listed = backed) =>
      serializeTransaction(newTransaction(extra), {
        ...context,
        anchor: { assets: [listed], deadlines: DEADLINES },
      });
    const ledger = `stellar:${asset.id}`;
    expect(of({ kind: 'deposit' })).toMatchObject({
      amount_in_asset: 'iso4217:USD',
      amount_out_asset: ledger,
      amount_fee_asset: 'iso4217:USD',
    });
    expect(of({})).toMatchObject({ amount_in_asset: ledger, amount_out_asset: 'iso4217:USD' });
    const gold = newAsset({ id: asset.id, anchored: { type: 'commodity', asset: 'XAU' } });
    expect(of({}, gold)).toMatchObject({ amount_in_asset: ledger, amount_out_asset: ledger });
    expect(of({ assetId: 'native' })).toMatchObject({ amount_in_asset: 'stellar:native' });
  });

  test('lists refunds with sums that match', () => {
    const told = serialize({
      status: 'refunded',
      amountIn: parseAmount('10'),
      amountFee: parseAmount('1'),
      amountOut: parseAmount('9'),
      refunds: [refund('6', '0.5'), { ...refund('3.5'), idType: 'external', id: 'BANK-9' }],
    });
    expect(told).toMatchObject({
      refunded: true,
      amount_in: '10',
      amount_fee: '0',
      amount_out: '0',
      fee_details: { total: '0', breakdown: [], details: [] },
      refunds: {
        amount_refunded: '9.5',
        amount_fee: '0.5',
        payments: [
          { id: 'ab'.repeat(32), id_type: 'stellar', amount: '6', fee: '0.5' },
          { id: 'BANK-9', id_type: 'external', amount: '3.5', fee: '0' },
        ],
      },
    });
  });

  test('whose fee is no longer what its lines say lists the fee as one line', () => {
    const feeDetails = [{ name: 'Wire', amount: parseAmount('1') }];
    const told = serialize({
      status: 'completed',
      amountIn: parseAmount('10'),
      amountOut: parseAmount('8'),
      amountFee: parseAmount('1'),
      feeDetails,
    });
    expect(told).toMatchObject({
      amount_fee: '2',
      fee_details: { total: '2', breakdown: [{ name: 'Fee', amount: '2' }] },
    });
  });
});

describe('amounts', () => {
  const settle = (amounts: Partial<Transaction>) => settleAmounts(newTransaction(amounts));
  const [ten, nine, one] = ['10', '9', '1'].map(parseAmount) as [bigint, bigint, bigint];

  test('payout or fee follows from the other as soon as one is known', () => {
    const status = 'pending_anchor';
    expect(settle({ status, amountIn: ten, amountFee: one }).amountOut).toBe(nine);
    expect(settle({ status, amountIn: ten, amountOut: nine }).amountFee).toBe(one);
    expect(settle({ status, amountIn: ten })).toEqual({ amountIn: ten, amountFee: null, amountOut: null });
    expect(settle({ status, amountFee: one, amountOut: nine }).amountOut).toBeNull();
  });

  test('a partial refund lowers the payout, not the fee', () => {
    const refunds = [refund('4')];
    expect(settle({ status: 'completed', amountIn: ten, amountFee: one, amountOut: nine, refunds })).toEqual({
      amountIn: ten,
      amountFee: one,
      amountOut: parseAmount('5'),
    });
  });

  test('that are shown always obey amount_out = amount_in - amount_fee - refunds', () => {
    const amount = fc.option(fc.bigInt({ min: 0n, max: 10n ** 15n }));
    const amounts = fc.record({
      status: fc.constantFrom(...STATUSES),
      kind: fc.constantFrom('deposit' as const, 'withdrawal' as const),
      amountExpected: amount,
      amountIn: amount,
      amountFee: amount,
      amountOut: amount,
      shares: fc.array(fc.tuple(fc.nat({ max: 50 }), fc.nat({ max: 10 })), { maxLength: 3 }),
      feeDetails: fc.option(fc.array(fc.record({ name: fc.constant('Line'), amount: fc.bigInt(1n, 100n) }))),
    });
    let compared = 0;
    fc.assert(
      fc.property(amounts, ({ shares, ...rest }) => {
        const paid = rest.amountIn ?? 0n;
        // What was refunded was received before: shares of it, 180 % at most, so cut at the whole.
        let left = paid;
        const take = (share: number): bigint => {
          const part = (paid * BigInt(share)) / 100n;
          const taken = part < left ? part : left;
          left -= taken;
          return taken;
        };
        const refunds = shares.map(([a, b]) => ({ ...refund('0'), amount: take(a), fee: take(b) }));
        const told = serialize({ ...rest, refunds });
        if (typeof told['amount_out'] !== 'string') return;
        compared += 1;
        const read = (name: string) => parseAmount(told[name] as string);
        const back = refunds.reduce((sum, one_) => sum + one_.amount + one_.fee, 0n);
        expect(read('amount_out')).toBe(read('amount_in') - read('amount_fee') - back);
        const fee = told['fee_details'] as { total: string; breakdown: { amount: string }[] };
        expect(fee.total).toBe(told['amount_fee']);
        expect(fee.breakdown.reduce((sum, line) => sum + parseAmount(line.amount), 0n)).toBe(
          read('amount_fee'),
        );
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(100);
  });
});
