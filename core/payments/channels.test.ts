import { describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { assetOf } from '../../test/support/anchor.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import { parseAmount } from '../transaction/amount.ts';
import { channelsOf, fuelOf, isChannelOf, MAX_NEW_CHANNELS, planChannels } from './channels.ts';

const hotWallet = Keypair.random().publicKey();
const key = (account: string, weight: number) => ({ key: account, weight, type: 'ed25519_public_key' });

function channel(changes: Partial<LedgerAccount> & { xlm?: string } = {}): LedgerAccount {
  const { xlm = '4.5', id = Keypair.random().publicKey(), ...rest } = changes;
  return {
    id,
    sequence: 1n,
    thresholds: { low: 1, medium: 1, high: 1 },
    signers: [key(hotWallet, 1), key(id, 0)],
    balances: [
      {
        assetId: 'native',
        balance: parseAmount(xlm),
        buyingLiabilities: 0n,
        sellingLiabilities: 0n,
        isAuthorized: true,
        isAuthorizedToMaintainLiabilities: true,
      },
    ],
    memoRequired: false,
    flags: { authRequired: false, authRevocable: false, authImmutable: false, authClawbackEnabled: false },
    subentryCount: 1,
    numSponsoring: 0,
    numSponsored: 0,
    lastModifiedLedger: 1,
    ...rest,
  };
}

describe('an account is a channel', () => {
  test('when nobody but the hot wallet can sign for it', () => {
    expect(isChannelOf(channel(), hotWallet)).toBe(true);
  });

  const other = Keypair.random().publicKey();
  test.each<[string, LedgerAccount]>([
    ['its own key still has weight', channel({ id: other, signers: [key(hotWallet, 1), key(other, 1)] })],
    ['a second key has weight', channel({ signers: [key(hotWallet, 1), key(other, 1)] })],
    ['its only signer is somebody else', channel({ signers: [key(other, 1)] })],
    ['nobody has weight', channel({ signers: [key(hotWallet, 0)] })],
    ['our weight is below a threshold', channel({ thresholds: { low: 1, medium: 1, high: 2 } })],
    [
      'it is signed for by a hash',
      channel({ signers: [{ key: hotWallet, weight: 1, type: 'sha256_hash' }] }),
    ],
    ['it has a trustline or data, so that it cannot be merged', channel({ subentryCount: 2 })],
    ['it sponsors somebody', channel({ numSponsoring: 1 })],
    [
      'it can never be merged',
      channel({
        flags: {
          authRequired: false,
          authRevocable: false,
          authImmutable: true,
          authClawbackEnabled: false,
        },
      }),
    ],
    ['it is the hot wallet itself', channel({ id: hotWallet })],
  ])('but not when %s', (_why, account) => {
    expect(isChannelOf(account, hotWallet)).toBe(false);
  });

  test('but not when it is another hot wallet of the anchor; the rest comes in a fixed order', () => {
    const second = channel();
    const ours = [channel(), channel(), channel()];
    const assets = [hotWallet, second.id].map((distribution) => assetOf({ issuer: second.id, distribution }));
    const found = channelsOf([second, ...ours], hotWallet, { assets }).map(({ id }) => id);
    expect(found).toEqual(ours.map(({ id }) => id).sort());
  });
});

describe('the plan', () => {
  const wish = (wanted: number, changes: { maxFee?: string; available?: string } = {}) => ({
    wanted,
    maxFee: parseAmount(changes.maxFee ?? '0.01'),
    available: parseAmount(changes.available ?? '1000'),
  });

  test('is empty when there are as many as wanted, with XLM enough', () => {
    const plan = planChannels([channel(), channel({ xlm: '2.5' })], wish(2));
    expect(plan).toMatchObject({ create: 0, topUp: [], retire: [], missing: 0n });
  });

  test('creates what is missing with XLM for three full submissions at the highest bid', () => {
    const plan = planChannels([channel()], wish(4));
    expect(plan.create).toBe(3);
    expect(plan.startingBalance).toBe(parseAmount('4.5'));
  });

  test('creates no more at once than one envelope has room for signatures', () => {
    const plan = planChannels([], wish(256, { available: '100000' }));
    expect(plan.create).toBe(19);
    expect(MAX_NEW_CHANNELS + 1).toBeLessThanOrEqual(20);
  });

  test('never asks for more than 10 XLM of fees a submission, however high bids may go', () => {
    expect(planChannels([], wish(1, { maxFee: '10' })).startingBalance).toBe(parseAmount('31.5'));
  });

  test('tops up a channel that could not pay one more full submission, and leaves the surplus dry', () => {
    const [low, dry] = [channel({ xlm: '2.4999999' }), channel({ xlm: '1.5' })];
    const plan = planChannels([low, dry], wish(1));
    expect(plan.topUp).toEqual([{ account: low.id, amount: parseAmount('2.0000001') }]);
    expect(plan.retire).toEqual([dry]);
    expect(fuelOf(dry)).toBe(0n);
  });

  test('spends no more XLM than there is, and says how much is missing', () => {
    const plan = planChannels([], wish(4, { available: '10' }));
    expect(plan).toMatchObject({ create: 2, missing: parseAmount('3.5') });
    expect(planChannels([], { ...wish(4), available: -1n })).toMatchObject({ create: 0 });
  });

  test('retires all when none is wanted', () => {
    expect(planChannels([channel(), channel()], wish(0)).retire).toHaveLength(2);
  });
});
