import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { STATUSES } from '../transaction/status.ts';
import { transactionOf } from '../../test/support/transaction.ts';
import { transaction as schema } from './contract/transaction.ts';
import { toIntegrationTransaction } from './view.ts';

const ISSUER = `G${'A'.repeat(55)}`;
const ACCOUNT = `G${'B'.repeat(55)}`;
const listed = {
  id: `SRT:${ISSUER}`,
  code: 'SRT',
  issuer: ISSUER,
} as never;
const anchor = { assets: [listed] };

const base = transactionOf({
  id: '4b4b6a3e-55d4-4f0f-9f5f-0d3b0d6f4d0a',
  version: 3,
  assetId: `SRT:${ISSUER}`,
  subject: ACCOUNT,
  destination: null,
  attention: 'somebody has to look',
  interactiveStep: 'form/1/kyc',
  awaitsIntegration: true,
  startedAt: new Date('2026-01-31T12:00:00Z'),
  updatedAt: new Date('2026-01-31T12:30:00Z'),
});

describe('toIntegrationTransaction', () => {
  test('a deposit shows amounts as decimals, where the payout goes and who the customer is', () => {
    const view = toIntegrationTransaction(
      {
        ...base,
        subject: `${ACCOUNT}:7`,
        amountIn: 1_005_000_000n,
        amountFee: 10_000_001n,
        destination: ACCOUNT,
        destinationMemoType: 'id',
        destinationMemo: '42',
        userActionRequiredBy: new Date('2026-02-01T00:00:00Z'),
      },
      anchor,
    );
    expect(view).toEqual({
      id: base.id,
      kind: 'deposit',
      status: 'pending_user_transfer_start',
      asset: { code: 'SRT', issuer: ISSUER },
      account: ACCOUNT,
      accountMemo: '7',
      amountIn: '100.5',
      amountFee: '1.0000001',
      to: ACCOUNT,
      memo: '42',
      memoType: 'id',
      createdAt: '2026-01-31T12:00:00.000Z',
      updatedAt: '2026-01-31T12:30:00.000Z',
      expiresAt: '2026-02-01T00:00:00.000Z',
      lang: 'en',
    });
  });

  test('a withdrawal shows who pays and our memo as an id', () => {
    const view = toIntegrationTransaction(
      { ...base, kind: 'withdrawal', source: ACCOUNT, withdrawMemo: '9007199254740991' },
      anchor,
    );
    expect(view).toMatchObject({ from: ACCOUNT, memo: '9007199254740991', memoType: 'id' });
    expect(view).not.toHaveProperty('to');
  });

  test('an asset that the anchor lists no more, and the native one, are named by their id', () => {
    expect(toIntegrationTransaction(base, { assets: [] }).asset).toEqual({ code: 'SRT', issuer: ISSUER });
    expect(toIntegrationTransaction({ ...base, assetId: 'native' }, { assets: [] }).asset).toEqual({
      code: 'native',
    });
  });

  test('nothing of our inner state is shown', () => {
    const keys = Object.keys(toIntegrationTransaction(base, anchor));
    expect(keys).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/attention|interactiveStep|version/)]),
    );
  });

  test('whatever is in the row, the view keeps the contract', () => {
    const stroops = fc.option(fc.bigInt({ min: 0n, max: 9_223_372_036_854_775_807n }));
    const rows = fc.record({
      kind: fc.constantFrom('deposit' as const, 'withdrawal' as const),
      status: fc.constantFrom(...STATUSES),
      subject: fc.constantFrom(ACCOUNT, `${ACCOUNT}:18446744073709551615`, `M${'C'.repeat(68)}`),
      assetId: fc.constantFrom('native', `SRT:${ISSUER}`),
      amountExpected: stroops,
      amountIn: stroops,
      amountOut: stroops,
      amountFee: stroops,
      destination: fc.option(fc.constant(ACCOUNT)),
      withdrawMemo: fc.option(fc.maxSafeNat().map(String)),
      externalTransactionId: fc.option(fc.string()),
      lang: fc.string({ maxLength: 12 }),
      userActionRequiredBy: fc.option(
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') }),
      ),
    });
    fc.assert(
      fc.property(rows, (row) => {
        const view = toIntegrationTransaction({ ...base, ...row }, anchor);
        expect(schema.safeParse(view).error?.issues ?? []).toEqual([]);
      }),
    );
  });
});
