import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  BASE_FEE,
  Keypair,
  Operation,
  Asset,
  Account,
  TransactionBuilder,
  Horizon as Sdk,
} from '@stellar/stellar-sdk';
import { signerFromSeed } from '../keys/ed25519.ts';
import { eventually } from '../../test/support/eventually.ts';
import { systemClock } from '../runtime/clock.ts';
import { parseAmount } from '../transaction/amount.ts';
import { startLedger } from '../../ledger/local-ledger.ts';
import type { LocalLedger, Misbehaviour } from '../../ledger/local-ledger.ts';
import { checkDestination } from './accounts.ts';
import { cursorBehind } from './continuity.ts';
import { buildFeeBump, buildPaymentTransaction, FEE_BUMP_FACTOR, signEnvelope } from './envelope.ts';
import type { BuiltTransaction } from './envelope.ts';
import { HistoryGone, LedgerUnavailable } from './errors.ts';
import { createHorizon } from './horizon.ts';
import type { TransferOperation } from './operations.ts';
import { decodeResult, resultCodesOf } from './result.ts';
import type { Horizon, HorizonOptions, LedgerTransaction } from './types.ts';

const CLEARED: Partial<Misbehaviour> = {
  timeoutAfterApplying: null,
  timeoutWithoutApplying: null,
  hangSubmissions: null,
  rateLimit: null,
  unavailable: null,
  notJson: null,
  cutStreams: null,
  stallStreams: null,
  lagReads: null,
  forgetHistory: null,
};

let ledger: LocalLedger;
const payer = Keypair.random();
const payee = Keypair.random();
const nobody = Keypair.random().publicKey();
const open: Horizon[] = [];

beforeAll(async () => {
  ledger = await startLedger({ closeIntervalMs: 100, secondPort: 0, submitTimeoutMs: 2_000 });
  const horizon = client();
  for (const pair of [payer, payee]) await horizon.friendbot(pair.publicKey());
});
afterEach(async () => {
  ledger.misbehave(CLEARED);
  await Promise.all(open.splice(0).map((each) => each.close()));
});
afterAll(() => ledger.close());

function client(replaced: Partial<HorizonOptions> = {}): Horizon {
  const horizon = createHorizon({
    urls: [ledger.url],
    passphrase: ledger.passphrase,
    clock: systemClock,
    deadlineMs: 3_000,
    ...replaced,
  });
  open.push(horizon);
  return horizon;
}
const bothUrls = (): Pick<HorizonOptions, 'urls'> => ({ urls: [ledger.url, ledger.secondUrl ?? ''] });

async function payment(
  horizon: Horizon,
  operations: readonly TransferOperation[] = [pay('1')],
  memo?: string,
): Promise<BuiltTransaction> {
  const { account } = await horizon.account(payer.publicKey());
  const { closedAtMs } = await horizon.latestLedger();
  const built = buildPaymentTransaction({
    source: payer.publicKey(),
    sequence: account!.sequence + 1n,
    operations,
    ...(memo === undefined ? {} : { memo: { type: 'id', value: memo } }),
    maxTime: BigInt(Math.floor(closedAtMs / 1000)) + 60n,
    feePerOperation: 100n,
    passphrase: ledger.passphrase,
  });
  return signEnvelope(built.envelope, ledger.passphrase, [signerFromSeed(payer.secret())]);
}

const pay = (amount: string, destination = payee.publicKey()): TransferOperation => ({
  kind: 'payment',
  destination,
  assetId: 'native',
  amount: parseAmount(amount),
});

async function settled(horizon: Horizon, hash: string): Promise<LedgerTransaction> {
  for (let tries = 0; tries < 100; tries += 1) {
    const transaction = await horizon.transaction(hash);
    if (transaction) return transaction;
    await systemClock.sleep(50);
  }
  throw new Error(`${hash} never reached a ledger`);
}

/** Waits until so many more ledgers have closed: what was to be in one of them is there, or never comes. */
async function ledgersLater(horizon: Horizon, count: number): Promise<void> {
  const latest = async (): Promise<number> => (await horizon.account(payer.publicKey())).latestLedger ?? 0;
  const enough = (await latest()) + count;
  await eventually(`${count} ledgers close`, async () => (await latest()) >= enough);
}

describe('on a ledger', () => {
  test('a payment is built, signed, submitted, settled by hash and seen by its receiver', async () => {
    const horizon = client();
    const { envelope, hash } = await payment(horizon, [pay('12.5')], '9007199254740991');
    expect(await horizon.submit(envelope)).toMatchObject({ kind: 'pending', hash });
    const transaction = await settled(horizon, hash);
    expect(transaction).toMatchObject({
      hash,
      successful: true,
      operationCount: 1,
      sourceAccount: payer.publicKey(),
    });
    expect(resultCodesOf(transaction.resultXdr)).toEqual({
      transaction: 'tx_success',
      operations: ['op_success'],
    });
    const [last] = await horizon.payments(payee.publicKey(), { order: 'desc', limit: 1 });
    expect(last).toMatchObject({
      transactionHash: hash,
      from: payer.publicKey(),
      amount: parseAmount('12.5'),
      memoType: 'id',
      memo: '9007199254740991',
      ledger: transaction.ledger,
      operationIndex: 0,
    });
    const close = await horizon.ledger(transaction.ledger);
    expect(close?.closedAtMs).toBe(Date.parse(transaction.closedAt));
  });

  test('a failed batch spends the sequence and names every operation', async () => {
    const horizon = client();
    const { envelope, hash } = await payment(horizon, [pay('1'), pay('1', nobody), pay('1')]);
    expect(await horizon.submit(envelope)).toMatchObject({ kind: 'pending' });
    const transaction = await settled(horizon, hash);
    expect(transaction.successful).toBe(false);
    expect(resultCodesOf(transaction.resultXdr)).toEqual({
      transaction: 'tx_failed',
      operations: ['op_success', 'op_no_destination', 'op_success'],
    });
    expect((await horizon.account(payer.publicKey())).account?.sequence).toBe(transaction.sequence);
    const history = await horizon.transactionsOf(payer.publicKey(), { order: 'desc', limit: 1 });
    expect(history).toMatchObject([{ hash, successful: false }]);
  });

  test('what is refused at once says why, and a spent sequence is tx_bad_seq', async () => {
    const horizon = client();
    const first = await payment(horizon);
    await horizon.submit(first.envelope);
    await settled(horizon, first.hash);
    const { source, sequence } = TransactionBuilder.fromXdr(first.envelope, ledger.passphrase) as unknown as {
      source: string;
      sequence: string;
    };
    const again = new TransactionBuilder(new Account(source, String(BigInt(sequence) - 1n)), {
      fee: BASE_FEE,
      networkPassphrase: ledger.passphrase,
    })
      .addOperation(Operation.payment({ destination: nobody, asset: Asset.native(), amount: '1' }))
      .setTimeout(60)
      .build();
    again.sign(payer);
    expect(await horizon.submit(again.toXdr())).toMatchObject({
      kind: 'error',
      resultCodes: { transaction: 'tx_bad_seq' },
    });
  });

  test('a fee bump settles under both hashes', async () => {
    const horizon = client();
    const inner = await payment(horizon);
    const bump = buildFeeBump({
      innerEnvelope: inner.envelope,
      feeSource: payer.publicKey(),
      feePerOperation: 100n * FEE_BUMP_FACTOR,
      passphrase: ledger.passphrase,
    });
    const signed = signEnvelope(bump.envelope, ledger.passphrase, [signerFromSeed(payer.secret())]);
    expect(await horizon.submit(signed.envelope)).toMatchObject({ kind: 'pending', hash: bump.hash });
    expect(await settled(horizon, bump.hash)).toMatchObject({
      hash: bump.hash,
      innerHash: inner.hash,
    });
    expect(await settled(horizon, inner.hash)).toMatchObject({
      hash: bump.hash,
      innerHash: inner.hash,
    });
  });

  test('a claimable balance is named by its result, found under that name, and gone once claimed', async () => {
    const horizon = client();
    const made = await payment(horizon, [
      pay('1'),
      {
        kind: 'createClaimableBalance',
        assetId: 'native',
        amount: parseAmount('5'),
        claimants: [{ account: payee.publicKey() }, { account: payer.publicKey() }],
      },
    ]);
    await horizon.submit(made.envelope);
    const { resultXdr } = await settled(horizon, made.hash);
    const { createdBalances } = decodeResult(resultXdr);
    const balanceId = createdBalances!.get(1)!;
    expect([...createdBalances!.keys()]).toEqual([1]);
    expect((await horizon.claimableBalance(balanceId)).balance).toEqual({
      id: balanceId,
      assetId: 'native',
      amount: parseAmount('5'),
      sponsor: payer.publicKey(),
    });
    const claim = await payment(horizon, [
      { kind: 'claimClaimableBalance', balanceId, amount: parseAmount('5') },
    ]);
    await horizon.submit(claim.envelope);
    expect(await settled(horizon, claim.hash)).toMatchObject({ successful: true });
    expect((await horizon.claimableBalance(balanceId)).balance).toBeUndefined();
  });

  test('accounts read as the SDK reads them, and can be checked before paying', async () => {
    const horizon = client();
    const { account, latestLedger } = await horizon.account(payee.publicKey());
    const sdk = await new Sdk.Server(ledger.url, { allowHttp: true }).loadAccount(payee.publicKey());
    expect(String(account?.sequence)).toBe(sdk.sequenceNumber());
    expect(account?.signers).toEqual(sdk.signers.map(({ key, weight, type }) => ({ key, weight, type })));
    expect(latestLedger).toBeGreaterThan(0);
    expect((await horizon.ledger(latestLedger))?.sequence).toBe(latestLedger);
    expect(await horizon.account(nobody)).toMatchObject({ account: undefined });
    const intent = {
      destination: nobody,
      assetId: 'native',
      amount: 1n,
      hasMemo: false,
      ownAccounts: new Set<string>(),
    };
    expect(checkDestination(account, { ...intent, destination: payee.publicKey() })).toEqual({ ok: true });
    expect(checkDestination(undefined, intent)).toMatchObject({ reason: 'no_account' });
    expect((await horizon.accountsWithSigner(payer.publicKey())).map(({ id }) => id)).toEqual([
      payer.publicKey(),
    ]);
    expect(await horizon.friendbot(payer.publicKey())).toBe('already_exists');
    expect((await horizon.feeStats()).lastLedgerBaseFee).toBe(100n);
    expect(await horizon.root()).toMatchObject({ networkPassphrase: ledger.passphrase });
  });
});

describe('on a ledger that misbehaves', () => {
  test.each([
    ['timeoutAfterApplying', 'is settled by its hash', true],
    ['timeoutWithoutApplying', 'has left no trace', false],
  ] as const)('%s: the outcome is unknown, and the payment %s', async (fault, _, applied) => {
    const horizon = client();
    const { envelope, hash } = await payment(horizon);
    ledger.misbehave({ [fault]: { count: 1 } });
    expect(await horizon.submit(envelope)).toMatchObject({ kind: 'unknown', hash });
    await ledgersLater(horizon, 3);
    expect((await horizon.transaction(hash)) !== undefined).toBe(applied);
  });

  test('a hanging submission is unknown at our own deadline while reads still answer', async () => {
    // Of all calls; the submission has its own.
    const horizon = client({ deadlineMs: 25_000 });
    const { envelope, hash } = await payment(horizon);
    ledger.misbehave({ hangSubmissions: { count: 1 } });
    const startedAt = Date.now();
    expect(await horizon.submit(envelope, { deadlineMs: 300 })).toMatchObject({ kind: 'unknown', hash });
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect((await horizon.account(payer.publicKey())).account).toBeDefined();
  });

  test.each([
    ['rateLimit', { rateLimit: { listener: 'main', retryAfterSeconds: 30 } }],
    ['unavailable', { unavailable: { listener: 'main' } }],
    ['notJson', { notJson: { listener: 'main' } }],
    ['notJson with 200', { notJson: { listener: 'main', status: 200 } }],
    ['notJson with 404', { notJson: { listener: 'main', status: 404 } }],
  ] as const)('%s: the other URL answers, and alone it is unavailable', async (_, fault) => {
    ledger.misbehave(fault);
    const { account, url } = await client(bothUrls()).account(payee.publicKey());
    expect(account).toBeDefined();
    expect(url).toBe(ledger.secondUrl);
    await expect(client({ deadlineMs: 300 }).account(payee.publicKey())).rejects.toThrow(LedgerUnavailable);
  });

  test('a lagging first URL is used last once its roots were compared', async () => {
    ledger.misbehave({ lagReads: { ledgers: 8, listener: 'main' } });
    const horizon = client(bothUrls());
    expect((await horizon.checkUrls()).map(({ state }) => state)).toEqual(['lagging', 'healthy']);
    expect((await horizon.account(payee.publicKey())).url).toBe(ledger.secondUrl);
  });
});

describe('streaming from a ledger', () => {
  async function watched(horizon: Horizon, fault: Partial<Misbehaviour>, count: number): Promise<string[]> {
    const stop = new AbortController();
    const seen: LedgerTransaction[] = [];
    const cursor = cursorBehind((await horizon.latestLedger()).sequence);
    const watching = (async () => {
      for await (const one of horizon.streamTransactions(payee.publicKey(), {
        cursor,
        signal: stop.signal,
      })) {
        seen.push(one);
        if (seen.length === count) break;
      }
    })();
    ledger.misbehave(fault);
    for (let index = 1; index <= count; index += 1) {
      const { envelope, hash } = await payment(horizon, [pay('1')], String(index));
      await horizon.submit(envelope);
      await settled(horizon, hash);
    }
    const late = setTimeout(() => stop.abort(), 15_000);
    await watching;
    clearTimeout(late);
    return seen.map(({ memo }) => memo ?? '');
  }

  test.each<[string, Partial<Misbehaviour>]>([
    ['as it is', {}],
    ['whose connections break after each record', { cutStreams: { afterRecords: 1, durationMs: 3_000 } }],
    ['whose connections break at once', { cutStreams: { afterRecords: 0, durationMs: 1_000 } }],
    ['that stalls', { stallStreams: { durationMs: 1_000 } }],
    ['that answers pages of a proxy', { notJson: { count: 4 } }],
  ])('%s, every payment is seen once and in order', async (_, fault) => {
    expect(await watched(client({ inactivityMs: 400, random: () => 0 }), fault, 4)).toEqual([
      '1',
      '2',
      '3',
      '4',
    ]);
  });

  test('a customer is noticed as soon as the account exists', async () => {
    const lookedInVain = Promise.withResolvers<void>();
    const horizon = client({
      onRequest: ({ operation }) => {
        if (operation.endsWith('_stream')) lookedInVain.resolve();
      },
    });
    const customer = Keypair.random().publicKey();
    const stream = horizon.streamAccountChanges(customer, {
      cursor: '0',
      signal: AbortSignal.timeout(15_000),
    });
    const change = stream[Symbol.asyncIterator]().next();
    await lookedInVain.promise;
    expect(await horizon.friendbot(customer)).toBe('funded');
    expect(await change).toMatchObject({ done: false, value: { ledger: expect.any(Number) } });
  });
});

// The last ones: what is forgotten stays so.
describe('on a ledger that forgets', () => {
  test.each([false, true])('missing history is noticed (with a 410: %s)', async (refuseAscending) => {
    const account = payee.publicKey();
    const cursor = cursorBehind((await client().latestLedger()).sequence);
    expect(await client().payments(account, { cursor })).toEqual([]);
    ledger.misbehave({ forgetHistory: { keepLedgers: 2, refuseAscending } });
    await ledgersLater(client(), 5);
    await expect(client().payments(account, { cursor })).rejects.toThrow(HistoryGone);
    const stream = client().streamTransactions(account, { cursor, signal: AbortSignal.timeout(15_000) });
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow(HistoryGone);
  });
});
