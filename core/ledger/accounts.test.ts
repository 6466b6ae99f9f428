import { describe, expect, test } from '@jest/globals';
import { balanceOf, checkDestination, minimumBalance, roomOf, spendableOf } from './accounts.ts';
import type { PaymentIntent, Violation } from './accounts.ts';
import { MAX_STROOPS, parseAmount } from '../transaction/amount.ts';
import type { LedgerAccount, LedgerBalance } from './types.ts';

const ASSET = 'SRT:GISSUER';

const trustline: LedgerBalance = {
  assetId: ASSET,
  balance: parseAmount('10'),
  limit: parseAmount('100'),
  buyingLiabilities: parseAmount('20'),
  sellingLiabilities: parseAmount('1'),
  isAuthorized: true,
  isAuthorizedToMaintainLiabilities: true,
};
const native: LedgerBalance = {
  assetId: 'native',
  balance: parseAmount('5'),
  buyingLiabilities: 0n,
  sellingLiabilities: 0n,
  isAuthorized: true,
  isAuthorizedToMaintainLiabilities: true,
};
const account: LedgerAccount = {
  id: 'GCUSTOMER',
  sequence: 1n,
  thresholds: { low: 0, medium: 0, high: 0 },
  signers: [],
  balances: [trustline, native],
  memoRequired: false,
  flags: { authRequired: false, authRevocable: false, authImmutable: false, authClawbackEnabled: false },
  subentryCount: 1,
  numSponsoring: 2,
  numSponsored: 1,
  lastModifiedLedger: 7,
};
const intent: PaymentIntent = {
  destination: 'GCUSTOMER',
  assetId: ASSET,
  amount: parseAmount('70'),
  hasMemo: false,
  ownAccounts: new Set(['GDISTRIBUTION', 'GCHANNEL']),
};
const withTrustline = (replaced: Partial<LedgerBalance>): LedgerAccount => ({
  ...account,
  balances: [{ ...trustline, ...replaced }, native],
});

describe('the check of a destination', () => {
  test('passes an account that can take the amount to the last stroop', () => {
    expect(checkDestination(account, intent)).toEqual({ ok: true });
  });

  test('passes XLM to any account that exists', () => {
    expect(
      checkDestination(account, { ...intent, assetId: 'native', amount: parseAmount('900000') }),
    ).toEqual({
      ok: true,
    });
  });

  const cases: [Violation, string, LedgerAccount | undefined, Partial<PaymentIntent>][] = [
    ['no_account', 'does not exist', undefined, {}],
    ['no_trustline', 'no trustline for SRT', { ...account, balances: [native] }, {}],
    ['not_authorized', 'not authorised', withTrustline({ isAuthorized: false }), {}],
    ['line_full', 'room for 70 SRT, not 70.0000001', account, { amount: parseAmount('70.0000001') }],
    ['line_full', 'room for 0 SRT', withTrustline({ limit: parseAmount('5') }), {}],
    ['memo_required', 'SEP-29', { ...account, memoRequired: true }, {}],
    ['issuer', 'burn', account, { destination: 'GISSUER' }],
    ['own_account', 'one of our own', account, { destination: 'GCHANNEL' }],
    ['own_account', 'one of our own', undefined, { destination: 'GDISTRIBUTION', assetId: 'native' }],
  ];
  test.each(cases)('says %s (%s)', (reason, words, found, replaced) => {
    const check = checkDestination(found, { ...intent, ...replaced });
    expect(check).toMatchObject({ ok: false, reason });
    expect(check).toHaveProperty('message', expect.stringContaining(words));
  });

  test('a memo or a muxed destination satisfies an account that requires one', () => {
    expect(checkDestination({ ...account, memoRequired: true }, { ...intent, hasMemo: true })).toEqual({
      ok: true,
    });
  });
});

describe('balances', () => {
  test('room and spendable amounts leave liabilities out', () => {
    expect(roomOf(trustline)).toBe(parseAmount('70'));
    expect(roomOf(native)).toBe(MAX_STROOPS - parseAmount('5'));
    expect(spendableOf(trustline)).toBe(parseAmount('9'));
    expect(balanceOf(account, 'SRT:GOTHER')).toBeUndefined();
  });

  test('the minimum balance counts subentries and sponsorships', () => {
    expect(minimumBalance(account, parseAmount('0.5'))).toBe(parseAmount('2'));
  });
});
