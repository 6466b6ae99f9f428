import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TransactionBuilder } from '@stellar/stellar-sdk';
import type { FeeBumpTransaction, Keypair, Transaction } from '@stellar/stellar-sdk';
import { hashOf, openNetwork, pay } from '../test-support.ts';
import type { TestNetwork } from '../test-support.ts';

let network: TestNetwork;
beforeEach(async () => {
  network = await openNetwork({ maxOperationsPerLedger: 10 });
});
afterEach(() => network.close());

const statusOf = async (transaction: Transaction | FeeBumpTransaction) => {
  const { status, body } = await network.send(transaction);
  return [status, body.tx_status];
};
const found = async (hash: string) => (await network.get(`/transactions/${hash}`)).status;

describe('the queue', () => {
  test('holds one transaction of an account; a second one is to come again later, and then goes through', async () => {
    const [alice] = (await network.accounts(1)) as [Keypair];
    const first = await network.build(alice, [pay(network.root, '1')]);
    const second = await network.build(alice, [pay(network.root, '2')], {
      sequence: BigInt(first.sequence) + 1n,
    });
    expect(await statusOf(first)).toEqual([201, 'PENDING']);
    expect(await statusOf(first)).toEqual([409, 'DUPLICATE']);
    expect(await statusOf(second)).toEqual([503, 'TRY_AGAIN_LATER']);
    await network.closeLedger();
    expect(await statusOf(second)).toEqual([201, 'PENDING']);
    await network.closeLedger();
    expect([await found(hashOf(first)), await found(hashOf(second))]).toEqual([200, 200]);
  });

  test('a synchronous submission that has to come again later answers 504 with the hash', async () => {
    await network.close();
    network = await openNetwork({ submitTimeoutMs: 50 });
    const [alice] = (await network.accounts(1)) as [Keypair];
    const first = await network.build(alice, [pay(network.root, '1')]);
    const second = await network.build(alice, [pay(network.root, '2')], {
      sequence: BigInt(first.sequence) + 1n,
    });
    await network.send(first);
    const { status, body } = await network.post('/transactions', { tx: second.toXDR() });
    expect([status, body['type'], body.extras?.hash]).toEqual([
      504,
      'https://stellar.org/horizon-errors/transaction_submission_timeout',
      hashOf(second),
    ]);
  });

  test('only a fee bump of ten times the bid replaces what waits; both hashes then answer', async () => {
    const [alice] = (await network.accounts(1)) as [Keypair];
    const inner = await network.build(alice, [pay(network.root, '1')]);
    await network.send(inner);
    const bump = (fee: string) => {
      const transaction = TransactionBuilder.buildFeeBumpTransaction(
        network.root,
        fee,
        inner,
        network.passphrase,
      );
      transaction.sign(network.root);
      return transaction;
    };
    const refused = await network.send(bump('500'));
    expect([refused.status, refused.body.error_result_xdr]).toEqual([400, 'AAAAAAAAB9D////3AAAAAA==']);
    const taken = bump('1000');
    expect(await statusOf(taken)).toEqual([201, 'PENDING']);
    expect(await statusOf(inner)).toEqual([409, 'DUPLICATE']);
    await network.closeLedger();
    const byOuter = await network.get(`/transactions/${hashOf(taken)}`);
    const byInner = await network.get(`/transactions/${hashOf(inner)}`);
    expect(byOuter.body).toMatchObject({
      hash: hashOf(taken),
      fee_charged: '200',
      max_fee: '2000',
      fee_account: network.root.publicKey(),
      source_account: alice.publicKey(),
      fee_bump_transaction: { hash: hashOf(taken) },
      inner_transaction: { hash: hashOf(inner), max_fee: '100' },
    });
    expect(byInner.body).toMatchObject({ hash: hashOf(inner), id: hashOf(inner), fee_charged: '200' });
    expect(await found(hashOf(bump('500')))).toBe(404);
  });

  test('the best bids get in, and pay what the lowest of them bid', async () => {
    const payers = await network.accounts(4);
    const bids = ['100', '300', '200', '400'];
    const four = Array.from({ length: 4 }, () => pay(network.root, '1'));
    const transactions = await Promise.all(
      payers.map((payer, index) => network.build(payer, four, { fee: bids[index]! })),
    );
    for (const transaction of transactions) expect((await network.send(transaction)).status).toBe(201);
    await network.closeLedger();
    const hashes = transactions.map(hashOf);
    expect(await Promise.all(hashes.map(found))).toEqual([404, 200, 404, 200]);
    expect((await network.get(`/transactions/${hashes[3]!}`)).body['fee_charged']).toBe('1200');
    const { body } = await network.get('/fee_stats');
    expect(body).toMatchObject({
      fee_charged: { max: '300' },
      max_fee: { max: '400' },
      last_ledger_base_fee: '100',
    });
  });

  test('what four ledgers left out is dropped, and banned for ten', async () => {
    const [alice] = (await network.accounts(1)) as [Keypair];
    network.misbehave({ surge: { bidStroops: 1000 } });
    const transaction = await network.build(alice, [pay(network.root, '1')]);
    expect(await statusOf(transaction)).toEqual([201, 'PENDING']);
    for (let ledger = 0; ledger < 4; ledger += 1) await network.closeLedger();
    network.misbehave({ surge: null });
    for (let ledger = 0; ledger < 10; ledger += 1) {
      expect(await statusOf(transaction)).toEqual([503, 'TRY_AGAIN_LATER']);
      await network.closeLedger();
    }
    expect(await statusOf(transaction)).toEqual([201, 'PENDING']);
    await network.closeLedger();
    expect(await found(hashOf(transaction))).toBe(200);
  });

  test('a full queue takes only who bids more, and lets go of the lowest', async () => {
    const payers = await network.accounts(6);
    const ten = Array.from({ length: 10 }, () => pay(network.root, '1'));
    const transactions = await Promise.all(payers.map((payer) => network.build(payer, ten, { fee: '200' })));
    const [low] = [await network.build(payers[0]!, ten, { fee: '150' })];
    expect((await network.send(low)).status).toBe(201);
    for (const transaction of transactions.slice(1, 4))
      expect((await network.send(transaction)).status).toBe(201);
    const cheap = await network.build(payers[4]!, ten, { fee: '150' });
    expect((await network.send(cheap)).body.tx_status).toBe('ERROR');
    expect((await network.send(transactions[5]!)).status).toBe(201);
    expect((await network.send(low)).body.tx_status).toBe('TRY_AGAIN_LATER');
  });

  test('what became invalid while it waited never gets in', async () => {
    let clock = 1_800_000_000;
    await network.close();
    network = await openNetwork({ now: () => clock * 1000 });
    const [alice] = (await network.accounts(1)) as [Keypair];
    const transaction = await network.build(alice, [pay(network.root, '1')], { maxTime: clock + 5 });
    await network.send(transaction);
    clock += 6;
    await network.closeLedger();
    expect(await found(hashOf(transaction))).toBe(404);
    const account = await network.server.loadAccount(alice.publicKey());
    expect(account.sequence).toBe(String(BigInt(transaction.sequence) - 1n));
  });

  test('a thousand operations of ten channels fit one ledger', async () => {
    await network.close();
    network = await openNetwork();
    const channels = await network.accounts(10);
    const hundred = Array.from({ length: 100 }, () => pay(network.root, '0.0000001'));
    const transactions = await Promise.all(channels.map((channel) => network.build(channel, hundred)));
    for (const transaction of transactions) expect((await network.send(transaction)).status).toBe(201);
    await network.closeLedger();
    const { records } = await network.server.ledgers().order('desc').limit(1).call();
    expect(records[0]).toMatchObject({ successful_transaction_count: 10, operation_count: 1000 });
  });
});
