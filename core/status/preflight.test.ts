import { describe, expect, test } from '@jest/globals';
import { assetOf, direction } from '../../test/support/anchor.ts';
import { newAccount } from '../../test/support/transaction.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import { parseAmount } from '../transaction/amount.ts';
import { preflight, type PreflightInput } from './preflight.ts';

const [issuer, distribution] = [newAccount(), newAccount()];
const asset = assetOf({ issuer, distribution });
const balance = (assetId: string, amount: string) => ({
  assetId,
  balance: parseAmount(amount),
  buyingLiabilities: 0n,
  sellingLiabilities: 0n,
  isAuthorized: true,
  isAuthorizedToMaintainLiabilities: true,
});
const account = (id: string, changes: Partial<LedgerAccount> = {}): LedgerAccount => ({
  id,
  sequence: 1n,
  thresholds: { low: 0, medium: 0, high: 0 },
  signers: [{ key: id, weight: 1, type: 'ed25519_public_key' }],
  balances: [balance('native', '100'), balance(asset.id, '50000')],
  memoRequired: false,
  flags: { authRequired: false, authRevocable: false, authImmutable: false, authClawbackEnabled: false },
  subentryCount: 1,
  numSponsoring: 0,
  numSponsored: 0,
  lastModifiedLedger: 1,
  ...changes,
});
const healthy: PreflightInput = {
  anchor: { homeDomains: ['harbor.example'] },
  asset,
  distribution: account(distribution),
  issuer: account(issuer, { homeDomain: 'harbor.example' }),
};
const of = (changes: Partial<LedgerAccount>): Partial<PreflightInput> => ({
  distribution: account(distribution, changes),
});
const codes = (changes: Partial<PreflightInput>): readonly string[] =>
  preflight({ ...healthy, ...changes }).problems.map(({ code }) => code);

describe('the look at a distribution account', () => {
  test('finds nothing where all is well, and says what there is', () => {
    expect(preflight(healthy)).toEqual({
      id: asset.id,
      account: distribution,
      exists: true,
      balance: '50000',
      xlm: '100',
      hasTrustline: true,
      isAuthorized: true,
      problems: [],
    });
  });

  test.each<[string, Partial<PreflightInput>, readonly string[]]>([
    ['does not exist', { distribution: undefined }, ['account_missing']],
    ['has no trustline', of({ balances: [balance('native', '100')] }), ['trustline_missing']],
    [
      'is not authorised',
      of({ balances: [balance('native', '100'), { ...balance(asset.id, '50000'), isAuthorized: false }] }),
      ['not_authorized'],
    ],
    [
      'has less than one payout',
      of({ balances: [balance('native', '100'), balance(asset.id, '9999.9999999')] }),
      ['balance_low'],
    ],
    ['has exactly one payout', of({ balances: [balance('native', '100'), balance(asset.id, '10000')] }), []],
    [
      'has too little XLM',
      of({ balances: [balance('native', '6.4999999'), balance(asset.id, '50000')] }),
      ['xlm_low'],
    ],
    ['has just enough XLM', of({ balances: [balance('native', '6.5'), balance(asset.id, '50000')] }), []],
    ['cannot sign', of({ signers: [] }), ['signer_insufficient']],
    [
      'has a key of no weight',
      of({ signers: [{ key: distribution, weight: 0, type: '' }] }),
      ['signer_insufficient'],
    ],
    ['has too high a threshold', of({ thresholds: { low: 0, medium: 2, high: 2 } }), ['signer_insufficient']],
    [
      'has an issuer of another domain',
      { issuer: account(issuer, { homeDomain: 'x.example' }) },
      ['home_domain_mismatch'],
    ],
    ['has an issuer without a domain', { issuer: account(issuer) }, ['home_domain_mismatch']],
    [
      'pays native',
      {
        asset: {
          ...assetOf(
            { issuer, distribution },
            { id: 'native', code: 'native', deposit: direction({ max: 1n }) },
          ),
        },
      },
      [],
    ],
  ])('that %s', (_, changes, expected) => {
    const native = changes.asset ? { issuer: undefined } : {};
    expect(codes({ ...changes, ...native })).toEqual(expected);
  });

  test('asks for no balance where nothing is paid out', () => {
    const closed = { ...asset, deposit: direction({ enabled: false }) };
    expect(
      codes({ asset: closed, ...of({ balances: [balance('native', '100'), balance(asset.id, '0')] }) }),
    ).toEqual([]);
  });
});
