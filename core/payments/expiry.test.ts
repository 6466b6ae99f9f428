import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Account, Asset, Keypair, Operation, TransactionBuilder } from '@stellar/stellar-sdk';
import { startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { hashOfEnvelope } from '../ledger/envelope.ts';
import type { Horizon } from '../ledger/types.ts';
import { proveExpiry } from './expiry.ts';

let ledger: TestLedger;
let horizon: Horizon;
beforeAll(async () => {
  ledger = await startTestLedger();
  horizon = ledger.client();
});
afterEach(() => ledger.behave());
afterAll(() => ledger.close());

/** A signed envelope with the account's next sequence number, valid for a minute, that nobody has sent. */
async function unsent(source: Keypair, destination: Keypair) {
  const { account } = await horizon.account(source.publicKey());
  const close = await horizon.latestLedger();
  const maxTime = BigInt(Math.floor(close.closedAtMs / 1000) + 60);
  const transaction = new TransactionBuilder(new Account(source.publicKey(), String(account!.sequence)), {
    fee: '100',
    networkPassphrase: ledger.passphrase,
    timebounds: { minTime: 0, maxTime: String(maxTime) },
  })
    .addOperation(payment(destination))
    .build();
  transaction.sign(source);
  const envelope = transaction.toXdr();
  const hash = hashOfEnvelope(envelope, ledger.passphrase);
  return { hash, envelope, source: source.publicKey(), sequence: account!.sequence + 1n, maxTime };
}
const payment = (to: Keypair, amount = '0.0000001') =>
  Operation.payment({ destination: to.publicKey(), asset: Asset.native(), amount });

describe('a submission whose sequence number is spent', () => {
  test('is dead when another transaction took it, however many came after', async () => {
    const [source, other, ...crowd] = await ledger.accounts(42);
    const submission = await unsent(source!, other!);
    const thief = await succeed(ledger.run(source!, [payment(other!)]));
    await ledger.advance(120_000);
    // More than ten full pages of strangers' payments to the account.
    for (let round = 0; round < 51; round++) await crowdPays(crowd, source!);
    expect(await proveExpiry(horizon, submission)).toEqual({
      kind: 'dead',
      why: `transaction ${thief.hash} took its sequence number`,
    });
  }, 60_000);

  test('is found although the look-up by hash does not know it', async () => {
    const [source, other] = await ledger.accounts(2);
    const submission = await unsent(source!, other!);
    await horizon.submit(submission.envelope);
    await ledger.closeLedger();
    await ledger.advance(120_000);
    const forgetful = { ...horizon, transaction: () => Promise.resolve(undefined) };
    expect(await proveExpiry(forgetful, submission)).toMatchObject({
      kind: 'found',
      transaction: { hash: submission.hash, successful: true },
    });
  });

  test('is dead when it was jumped over', async () => {
    const [source, other] = await ledger.accounts(2);
    const submission = await unsent(source!, other!);
    const bumpTo = String(submission.sequence + 10n);
    const jump = Operation.bumpSequence({ source: source!.publicKey(), bumpTo });
    await succeed(ledger.run(other!, [jump], { cosigners: [source!] }));
    await ledger.advance(120_000);
    expect(await proveExpiry(horizon, submission)).toMatchObject({ kind: 'unproven' });
    const later = await succeed(ledger.run(source!, [payment(other!)]));
    expect(await proveExpiry(horizon, submission)).toEqual({
      kind: 'dead',
      why: `its sequence number was jumped over before transaction ${later.hash}`,
    });
  });

  test('is unproven while the history of those minutes is gone', async () => {
    const forgetful = await startTestLedger();
    try {
      const [source, other] = await forgetful.accounts(2);
      const { sequence } = (await forgetful.client().account(source!.publicKey())).account!;
      const spent = await succeed(forgetful.run(source!, [payment(other!)]));
      const maxTime = BigInt(Math.floor(Date.parse(spent.closedAt) / 1000) + 60);
      await forgetful.advance(1_000_000);
      forgetful.misbehave({ forgetHistory: { keepLedgers: 2 } });
      for (let i = 0; i < 4; i++) await forgetful.closeLedger();
      const submission = {
        hash: 'ab'.repeat(32),
        source: source!.publicKey(),
        sequence: sequence + 1n,
        maxTime,
      };
      expect(await proveExpiry(forgetful.client(), submission)).toMatchObject({ kind: 'unproven' });
    } finally {
      await forgetful.close();
    }
  });
});

describe('a submission whose source account is gone', () => {
  test('is dead once the merge is found, and is no longer possible', async () => {
    const [source, other] = await ledger.accounts(2);
    const submission = await unsent(source!, other!);
    const merge = Operation.accountMerge({ source: source!.publicKey(), destination: other!.publicKey() });
    // Sent by somebody else, so that the sequence number is still free when the account goes.
    const merged = await succeed(ledger.run(other!, [merge], { cosigners: [source!] }));
    await ledger.advance(120_000);
    expect(await proveExpiry(horizon, submission)).toEqual({
      kind: 'dead',
      why: `transaction ${merged.hash} merged its source account away`,
    });
  });

  test('is found when it was the merge itself', async () => {
    const [source, other] = await ledger.accounts(2);
    const { sequence } = (await horizon.account(source!.publicKey())).account!;
    const merge = Operation.accountMerge({ destination: other!.publicKey() });
    const merged = await succeed(ledger.run(source!, [merge]));
    const maxTime = BigInt(Math.floor(Date.parse(merged.closedAt) / 1000) + 60);
    await ledger.advance(120_000);
    const forgetful = { ...horizon, transaction: () => Promise.resolve(undefined) };
    const submission = { hash: merged.hash, source: source!.publicKey(), sequence: sequence + 1n, maxTime };
    expect(await proveExpiry(forgetful, submission)).toMatchObject({ kind: 'found' });
  });

  test('is unproven when no history says so: a 404 proves nothing', async () => {
    const never = Keypair.random().publicKey();
    const close = await horizon.latestLedger();
    const maxTime = BigInt(Math.floor(close.closedAtMs / 1000) - 60);
    expect(
      await proveExpiry(horizon, { hash: 'ab'.repeat(32), source: never, sequence: 5n, maxTime }),
    ).toMatchObject({ kind: 'unproven', why: expect.stringContaining(never) });
  });
});

async function crowdPays(crowd: readonly Keypair[], to: Keypair): Promise<void> {
  await Promise.all(
    crowd.map(async (payer) => {
      const { account } = await horizon.account(payer.publicKey());
      const transaction = new TransactionBuilder(new Account(payer.publicKey(), String(account!.sequence)), {
        fee: '1000',
        networkPassphrase: ledger.passphrase,
        timebounds: { minTime: 0, maxTime: 0 },
      })
        .addOperation(payment(to))
        .build();
      transaction.sign(payer);
      await horizon.submit(transaction.toXdr());
    }),
  );
  await ledger.closeLedger();
}
