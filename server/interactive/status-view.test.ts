import { describe, expect, test } from '@jest/globals';
import { parseAmount } from '../../core/transaction/amount.ts';
import { settleAmounts } from '../../core/transaction/sep24-object.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { transactionOf } from '../../test/support/transaction.ts';
import { anchorOf } from '../testing/anchor.ts';
import { readBuiltIn } from './built-in.ts';
import { createTranslator } from './locale.ts';
import { viewStatus } from './status-view.ts';

const translator = createTranslator('en', readBuiltIn().words.get('en')!);
const [asset] = anchorOf().assets;
if (!asset) throw new Error('the test anchor has no asset');
const { network } = anchorOf();
const context = { asset, network, translator, nowMs: 0 };
const rowsOf = (changes: Partial<Transaction>): readonly (readonly [string, string])[] =>
  viewStatus(transactionOf({ assetId: asset.id, ...changes }), context).amounts.map(({ label, value }) => [
    label,
    value,
  ]);

describe('the amounts of the status page', () => {
  const paid: Partial<Transaction> = {
    kind: 'withdrawal',
    status: 'completed',
    amountExpected: parseAmount('100'),
    amountIn: parseAmount('100'),
    amountFee: parseAmount('2'),
    amountOut: parseAmount('98'),
    feeDetails: [{ name: 'Fixed fee', amount: parseAmount('2') }],
  };
  const refunds = [
    { id: 'r', idType: 'stellar', amount: parseAmount('40'), fee: 0n },
  ] as const satisfies Transaction['refunds'];

  test('are those of the row while nothing was returned', () => {
    expect(rowsOf(paid)).toEqual([
      ['You send', '100.00 SRT'],
      ['Fixed fee', '2.00 SRT'],
      ['You receive', '98.00 SRT'],
    ]);
  });

  test('are what wallets are told after a partial refund: the payout is less by it', () => {
    expect(settleAmounts(transactionOf({ ...paid, refunds })).amountOut).toBe(parseAmount('58'));
    expect(rowsOf({ ...paid, refunds })).toEqual([
      ['You send', '100.00 SRT'],
      ['Fixed fee', '2.00 SRT'],
      ['You receive', '58.00 SRT'],
    ]);
  });

  test('show the fee that a whole refund left as a sum, not by the lines of another fee', () => {
    expect(
      rowsOf({ ...paid, status: 'refunded', refunds: [{ ...refunds[0], amount: parseAmount('99') }] }),
    ).toEqual([
      ['You send', '100.00 SRT'],
      ['Fee', '1.00 SRT'],
      ['You receive', '0.00 SRT'],
    ]);
  });

  test('promise nothing of what came to nothing', () => {
    for (const status of ['expired', 'error', 'no_market'] as const) {
      expect(rowsOf({ ...paid, status })).toEqual([['You send', '100.00 SRT']]);
    }
  });

  test('are what the customer has typed before the form is through', () => {
    expect(rowsOf({ kind: 'deposit', status: 'incomplete', amountExpected: parseAmount('7') })).toHaveLength(
      1,
    );
  });
});
