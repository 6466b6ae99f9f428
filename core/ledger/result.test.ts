import { describe, expect, test } from '@jest/globals';
import { xdr } from '@stellar/stellar-sdk/base';
import * as resultCodes from './result-codes.ts';
import type { ResultClass } from './result-codes.ts';
import { BadResultXdr, decodeResult, mergedAmount, resultCodesOf } from './result.ts';

const { classifyOperation, classifyTransaction, operationCodeName, CODES_BY_OPERATION } = resultCodes;
const CLASSES: ResultClass[] = ['success', 'retry', 'rebuild', 'setAside', 'park', 'alert'];
const payment = (result: xdr.PaymentResult): xdr.OperationResult =>
  xdr.OperationResult.opInner(xdr.OperationResultTr.payment(result));

const result = (of: xdr.TransactionResultResult, feeCharged = 300n): string =>
  new xdr.TransactionResult({ feeCharged, result: of, ext: xdr.TransactionResultExt.v0() }).toXdr('base64');

const FAILED_BATCH = [
  payment(xdr.PaymentResult.paymentSuccess()),
  payment(xdr.PaymentResult.paymentNoTrust()),
  xdr.OperationResult.opBadAuth(),
];
const BATCH_CODES = ['op_success', 'op_no_trust', 'op_bad_auth'];

describe('decoding a result', () => {
  test.each([
    ['AAAAAAAAAGT////7AAAAAA==', 'tx_bad_seq', 100n],
    ['AAAAAAAAAGT////9AAAAAA==', 'tx_too_late', 100n],
    ['AAAAAAAAB9D////3AAAAAA==', 'tx_insufficient_fee', 2000n],
  ])('knows %s, observed on a real Horizon, as %s', (observed, transactionCode, feeCharged) => {
    expect(decodeResult(observed)).toEqual({ transactionCode, operationCodes: [], feeCharged });
  });

  test('names every operation of a failed batch in order', () => {
    expect(decodeResult(result(xdr.TransactionResultResult.txFailed(FAILED_BATCH)))).toEqual({
      transactionCode: 'tx_failed',
      operationCodes: BATCH_CODES,
      feeCharged: 300n,
    });
  });

  test('looks into a fee bump', () => {
    const pair = new xdr.InnerTransactionResultPair({
      transactionHash: new xdr.Hash(Uint8Array.from({ length: 32 }, () => 0xab)),
      result: new xdr.InnerTransactionResult({
        feeCharged: 0n,
        result: xdr.InnerTransactionResultResult.txFailed(FAILED_BATCH),
        ext: xdr.InnerTransactionResultExt.v0(),
      }),
    });
    const encoded = result(xdr.TransactionResultResult.txFeeBumpInnerFailed(pair));
    expect(decodeResult(encoded)).toEqual({
      transactionCode: 'tx_fee_bump_inner_failed',
      innerTransactionCode: 'tx_failed',
      innerHash: 'ab'.repeat(32),
      operationCodes: BATCH_CODES,
      feeCharged: 300n,
    });
    expect(resultCodesOf(encoded)).toEqual({
      transaction: 'tx_fee_bump_inner_failed',
      innerTransaction: 'tx_failed',
      operations: BATCH_CODES,
    });
  });

  test('finds what a merge moved, and only there', () => {
    const merge = xdr.OperationResult.opInner(
      xdr.OperationResultTr.accountMerge(xdr.AccountMergeResult.accountMergeSuccess(99_9990000n)),
    );
    const encoded = result(xdr.TransactionResultResult.txSuccess([FAILED_BATCH[0]!, merge]));
    expect(mergedAmount(encoded, 1)).toBe(99_9990000n);
    expect(mergedAmount(encoded, 0)).toBeUndefined();
    expect(mergedAmount(encoded, 2)).toBeUndefined();
  });

  test('refuses what is no result', () => {
    expect(() => decodeResult('AAAA')).toThrow(BadResultXdr);
    expect(() => decodeResult('')).toThrow(BadResultXdr);
  });
});

describe('the table of result codes', () => {
  const namesOf = (schema: { nameByValue: ReadonlyMap<number, string> }): string[] =>
    [...schema.nameByValue.values()].toSorted();

  test.each([
    ['transaction', resultCodes.TRANSACTION_CODES, xdr.TransactionResultCode.schema],
    ['operation', resultCodes.OPERATION_CODES, xdr.OperationResultCode.schema],
    ['payment', resultCodes.PAYMENT_CODES, xdr.PaymentResultCode.schema],
    ['create account', resultCodes.CREATE_ACCOUNT_CODES, xdr.CreateAccountResultCode.schema],
    [
      'create claimable balance',
      resultCodes.CREATE_CLAIMABLE_BALANCE_CODES,
      xdr.CreateClaimableBalanceResultCode.schema,
    ],
    [
      'claim claimable balance',
      resultCodes.CLAIM_CLAIMABLE_BALANCE_CODES,
      xdr.ClaimClaimableBalanceResultCode.schema,
    ],
    ['change trust', resultCodes.CHANGE_TRUST_CODES, xdr.ChangeTrustResultCode.schema],
    ['set options', resultCodes.SET_OPTIONS_CODES, xdr.SetOptionsResultCode.schema],
    ['account merge', resultCodes.ACCOUNT_MERGE_CODES, xdr.AccountMergeResultCode.schema],
  ])('of %s has exactly the codes of the protocol, each with a class and a reason', (_, table, schema) => {
    expect(Object.keys(table).toSorted()).toEqual(namesOf(schema));
    for (const entry of Object.values(table)) {
      expect(CLASSES).toContain(entry.class);
      expect(entry.why).toMatch(/^[A-Z].+\.$/);
      expect(entry.code).toMatch(/^(tx|op)_[a-z_]+$/);
    }
  });

  test('says one thing only of each code within one operation', () => {
    for (const table of Object.values(CODES_BY_OPERATION)) {
      const codes = Object.values(table).map(({ code }) => code);
      expect(new Set(codes).size).toBe(codes.length);
    }
  });

  test.each([
    ['payment', 'op_no_trust', 'setAside'],
    ['createClaimableBalance', 'op_no_trust', 'park'],
    ['payment', 'op_no_source_account', 'alert'],
    ['payment', 'op_of_the_future', 'alert'],
    ['createAccount', 'op_already_exists', 'setAside'],
    ['payment', 'op_success', 'success'],
  ] as const)('classifies %s %s as %s', (operation, code, expected) => {
    expect(classifyOperation(operation, code).class).toBe(expected);
  });

  test.each([
    ['tx_bad_seq', 'rebuild'],
    ['tx_too_late', 'rebuild'],
    ['tx_insufficient_balance', 'park'],
    ['tx_bad_auth', 'alert'],
    ['tx_no_source_account', 'alert'],
    ['tx_of_the_future', 'alert'],
  ])('classifies %s as %s', (code, expected) => {
    expect(classifyTransaction(code).class).toBe(expected);
  });

  test.each([
    ['manageSellOffer', 'manageSellOfferSellNoTrust', 'op_sell_no_trust'],
    ['createPassiveSellOffer', 'manageSellOfferCrossSelf', 'op_cross_self'],
    ['manageBuyOffer', 'manageBuyOfferSellNotAuthorized', 'sell_not_authorized'],
    ['pathPaymentStrictSend', 'pathPaymentStrictSendUnderDestmin', 'op_under_dest_min'],
    ['pathPaymentStrictReceive', 'pathPaymentStrictReceiveOverSendmax', 'op_over_source_max'],
    ['changeTrust', 'changeTrustNotAuthMaintainLiabilities', 'op_not_aut_maintain_liabilities'],
    ['accountMerge', 'accountMergeSeqnumTooFar', 'op_seq_num_too_far'],
    ['bumpSequence', 'bumpSequenceBadSeq', 'op_bad_seq'],
  ])('spells %s %s as Horizon does: %s', (operation, name, expected) => {
    expect(operationCodeName(operation, name)).toBe(expected);
  });
});
