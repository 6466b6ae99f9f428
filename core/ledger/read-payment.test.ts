import { describe, expect, test } from '@jest/globals';
import { xdr } from '@stellar/stellar-sdk/base';
import { BadLedgerAnswer } from './errors.ts';
import { Fields } from './fields.ts';
import { readPayment } from './read-payment.ts';
import { paymentResource } from './testing/resources.ts';
import type { LedgerPayment } from './types.ts';

const FROM = 'GFROM';
const TO = 'GTO';
const ID = String((7n << 32n) | (3n << 12n) | 1n);

function read(replaced: object = {}, transaction: object = {}, account = TO): LedgerPayment[] {
  const record = paymentResource({ ledger: 7, order: 3, from: FROM, to: TO }, replaced, transaction);
  return readPayment(new Fields(record, 'payments'), account);
}

describe('reading a payment', () => {
  test('takes memo and ledger from the joined transaction, the position from the id', () => {
    expect(read({}, { memo_type: 'id', memo: '18446744073709551615' })).toEqual([
      {
        id: ID,
        pagingToken: ID,
        type: 'payment',
        transactionHash: 'ab'.repeat(32),
        successful: true,
        from: FROM,
        to: TO,
        assetId: 'native',
        amount: 125000000n,
        memoType: 'id',
        memo: '18446744073709551615',
        ledger: 7,
        closedAt: '2026-10-01T12:00:00Z',
        operationIndex: 0,
        sourceAccount: FROM,
      },
    ]);
  });

  test('counts operations from 0', () => {
    const id = String((7n << 32n) | (3n << 12n) | 100n);
    expect(read({ id, paging_token: id })[0]?.operationIndex).toBe(99);
  });

  test('keeps muxed addresses on both sides', () => {
    const muxed = {
      from_muxed: 'MFROM',
      from_muxed_id: '5',
      to_muxed: 'MTO',
      to_muxed_id: '18446744073709551615',
    };
    expect(read(muxed)[0]).toMatchObject({
      from: FROM,
      fromMuxed: 'MFROM',
      to: TO,
      toMuxedId: '18446744073709551615',
    });
  });

  test.each([
    [{ memo_type: 'none' }, { memoType: 'none', memo: undefined }],
    [
      { memo_type: 'text', memo: '', memo_bytes: '' },
      { memoType: 'text', memo: '', memoBytes: '' },
    ],
    [
      { memo_type: 'text', memo: '\uFFFD', memo_bytes: '/w==' },
      { memo: '\uFFFD', memoBytes: '/w==' },
    ],
    [
      { memo_type: 'hash', memo: 'q6s=' },
      { memoType: 'hash', memo: 'q6s=' },
    ],
    [
      { memo_type: 'return', memo: 'q6s=' },
      { memoType: 'return', memo: 'q6s=' },
    ],
  ])('reads the memo %j', (transaction, expected) => {
    const { memo, memoType, memoBytes } = read({}, transaction)[0]!;
    expect({ memo, memoType, memoBytes }).toMatchObject(expected);
  });

  test.each(['path_payment_strict_send', 'path_payment_strict_receive'])(
    'of %s counts what was received',
    (type) => {
      const asset = { asset_type: 'credit_alphanum12', asset_code: 'LONGCODE', asset_issuer: 'GI' };
      const source = {
        source_amount: '99.0000000',
        source_asset_type: 'native',
        destination_min: '1.0000000',
      };
      expect(read({ type, ...asset, ...source })[0]).toMatchObject({
        type,
        assetId: 'LONGCODE:GI',
        amount: 125000000n,
      });
    },
  );

  test('a created account received its starting balance', () => {
    const created = { type: 'create_account', account: TO, funder: FROM, starting_balance: '2.0100000' };
    expect(read({ ...created, from: undefined, to: undefined, amount: undefined })[0]).toMatchObject({
      from: FROM,
      to: TO,
      assetId: 'native',
      amount: 20100000n,
    });
  });

  const merged = {
    type: 'account_merge',
    account: FROM,
    into: TO,
    into_muxed: 'MTO',
    into_muxed_id: '9',
    amount: undefined,
  };
  const mergeResult = new xdr.TransactionResult({
    feeCharged: 100n,
    result: xdr.TransactionResultResult.txSuccess([
      xdr.OperationResult.opInner(
        xdr.OperationResultTr.accountMerge(xdr.AccountMergeResult.accountMergeSuccess(41_5000000n)),
      ),
    ]),
    ext: xdr.TransactionResultExt.v0(),
  }).toXdr('base64');

  test("a merge brought what the transaction's result says", () => {
    expect(read(merged, { result_xdr: mergeResult })[0]).toMatchObject({
      from: FROM,
      to: TO,
      toMuxedId: '9',
      assetId: 'native',
      amount: 41_5000000n,
    });
  });

  test('a merge whose result says nothing is refused, not guessed', () => {
    expect(() => read(merged)).toThrow(BadLedgerAnswer);
  });

  test('a contract call gives each movement that concerns the account, with ids of their own', () => {
    const change = { asset_type: 'native', type: 'transfer', from: FROM, to: TO, amount: '1.0000000' };
    const changes = [
      change,
      { ...change, to: 'GELSE' },
      {
        ...change,
        asset_type: 'credit_alphanum4',
        asset_code: 'SRT',
        asset_issuer: 'GI',
        type: 'mint',
        from: undefined,
        destination_muxed_id: '12',
      },
      { ...change, from: TO, to: 'CCONTRACT' },
    ];
    const call = { type: 'invoke_host_function', asset_balance_changes: changes, amount: undefined };
    expect(
      read(call).map(({ id, from, to, assetId, toMuxedId }) => [id, from, to, assetId, toMuxedId]),
    ).toEqual([
      [ID, FROM, TO, 'native', undefined],
      [`${ID}-1`, 'GI', TO, 'SRT:GI', '12'],
      [`${ID}-2`, TO, 'CCONTRACT', 'native', undefined],
    ]);
    expect(read({ ...call, asset_balance_changes: [] })).toEqual([]);
    expect(read({ ...call, asset_balance_changes: null })).toEqual([]);
  });

  test.each([
    ['payments.amount', { amount: '-1.0' }],
    ['payments.type', { type: 'clawback' }],
    ['payments.transaction', { transaction: undefined }],
    ['payments.paging_token', { paging_token: 'now' }],
  ])('names %s when it is not as documented', (field, replaced) => {
    expect(() => read(replaced)).toThrow(expect.objectContaining({ field }));
  });
});
