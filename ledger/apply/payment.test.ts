import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  Asset,
  AuthRequiredFlag,
  AuthRevocableFlag,
  Keypair,
  MuxedAccount,
  Account,
  Operation,
} from '@stellar/stellar-sdk';
import { USD, openNetwork, pay } from '../test-support.ts';
import type { TestNetwork } from '../test-support.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openNetwork();
});
afterAll(() => network.close());

const trust = (asset: Asset, limit?: string) =>
  Operation.changeTrust({ asset, ...(limit === undefined ? {} : { limit }) });

async function balance(key: Keypair, asset: string): Promise<string | undefined> {
  const { balances } = await network.server.loadAccount(key.publicKey());
  return balances.find((entry) => ('asset_code' in entry ? entry.asset_code : 'XLM') === asset)?.balance;
}

describe('payments', () => {
  test('move lumens, and a token that its issuer makes and takes back', async () => {
    const [issuer, alice, bob] = (await network.accounts(3)) as [Keypair, Keypair, Keypair];
    const usd = USD(issuer);
    expect((await network.run(alice, [trust(usd)])).code).toBe('tx_success');
    expect((await network.run(bob, [trust(usd)])).code).toBe('tx_success');
    expect((await network.run(issuer, [pay(alice, '10', usd)])).code).toBe('tx_success');
    expect((await network.run(alice, [pay(bob, '4', usd), pay(bob, '1.5')])).code).toBe('tx_success');
    expect((await network.run(bob, [pay(issuer, '3', usd)])).code).toBe('tx_success');
    expect([await balance(alice, 'USD'), await balance(bob, 'USD')]).toEqual(['6.0000000', '1.0000000']);
    expect(await balance(bob, 'XLM')).toBe('1001.4999800');
  });

  test('a muxed destination is credited as its account and shown beside it', async () => {
    const [alice, bob] = (await network.accounts(2)) as [Keypair, Keypair];
    const muxed = new MuxedAccount(new Account(bob.publicKey(), '0'), '18446744073709551615');
    const { hash } = await network.run(alice, [pay(muxed.accountId(), '2')]);
    const { records } = await network.server.payments().forTransaction(hash).call();
    expect(records[0]).toMatchObject({
      to: bob.publicKey(),
      to_muxed: muxed.accountId(),
      to_muxed_id: '18446744073709551615',
      amount: '2.0000000',
    });
  });

  test('each way to fail has its code, and a failed batch lists every operation', async () => {
    const [issuer, alice, bob, poor] = (await network.accounts(4)) as [Keypair, Keypair, Keypair, Keypair];
    const usd = USD(issuer);
    await network.run(alice, [trust(usd, '5')]);
    const failed = async (...operations: Parameters<typeof network.run>[1]) => {
      const { code, operations: codes } = await network.run(issuer, operations);
      expect(code).toBe('tx_failed');
      return codes;
    };
    expect(await failed(pay(alice, '1', usd), pay(bob, '1', usd), pay(alice, '1'))).toEqual([
      'op_success',
      'op_no_trust',
      'op_success',
    ]);
    expect(await failed(pay(alice, '5.0000001', usd))).toEqual(['op_line_full']);
    expect(await failed(pay(alice, '2000'))).toEqual(['op_underfunded']);
    expect(await failed(pay(Keypair.random(), '1'))).toEqual(['op_no_destination']);
    expect((await network.run(poor, [pay(alice, '1', usd)])).operations).toEqual(['op_src_no_trust']);
    expect((await network.run(alice, [pay(issuer, '1', usd)])).operations).toEqual(['op_underfunded']);
    expect((await network.run(alice, [pay(bob, '998.5')])).operations).toEqual(['op_underfunded']);
    expect(await balance(alice, 'USD')).toBe('0.0000000');
  });

  test('an issuer that requires authorization decides who holds and moves its token', async () => {
    const [issuer, alice, bob] = (await network.accounts(3)) as [Keypair, Keypair, Keypair];
    const usd = USD(issuer);
    const flags = AuthRequiredFlag | AuthRevocableFlag;
    await network.run(issuer, [Operation.setOptions({ setFlags: flags })]);
    await network.run(alice, [trust(usd)]);
    await network.run(bob, [trust(usd)]);
    expect((await network.run(issuer, [pay(alice, '1', usd)])).operations).toEqual(['op_not_authorized']);
    const authorize = (key: Keypair, authorized: boolean) =>
      Operation.setTrustLineFlags({ trustor: key.publicKey(), asset: usd, flags: { authorized } });
    expect((await network.run(issuer, [authorize(alice, true), pay(alice, '1', usd)])).code).toBe(
      'tx_success',
    );
    expect((await network.run(alice, [pay(bob, '1', usd)])).operations).toEqual(['op_not_authorized']);
    expect((await network.run(issuer, [authorize(alice, false)])).code).toBe('tx_success');
    expect((await network.run(alice, [pay(issuer, '1', usd)])).operations).toEqual(['op_src_not_authorized']);
  });

  test('a path payment converts an asset for itself, and nothing else', async () => {
    const [issuer, alice, bob] = (await network.accounts(3)) as [Keypair, Keypair, Keypair];
    const native = Asset.native();
    const common = { sendAsset: native, destination: bob.publicKey(), destAsset: native, path: [] };
    const receive = Operation.pathPaymentStrictReceive({ ...common, sendMax: '3', destAmount: '2' });
    const send = Operation.pathPaymentStrictSend({ ...common, sendAmount: '4', destMin: '4' });
    const { code, hash } = await network.run(alice, [receive, send]);
    expect(code).toBe('tx_success');
    const { records } = await network.server.payments().forTransaction(hash).call();
    expect(records.map((record) => [record.type, 'amount' in record ? record.amount : null])).toEqual([
      ['path_payment_strict_receive', '2.0000000'],
      ['path_payment_strict_send', '4.0000000'],
    ]);
    const over = Operation.pathPaymentStrictReceive({ ...common, sendMax: '1', destAmount: '2' });
    const under = Operation.pathPaymentStrictSend({ ...common, sendAmount: '4', destMin: '5' });
    const exchange = Operation.pathPaymentStrictSend({
      ...common,
      destination: issuer.publicKey(),
      destAsset: USD(issuer),
      sendAmount: '4',
      destMin: '1',
    });
    expect((await network.run(alice, [over, under, exchange])).operations).toEqual([
      'op_over_source_max',
      'op_under_dest_min',
      'op_too_few_offers',
    ]);
  });

  test('a new account needs two reserves, and may exist only once', async () => {
    const [alice] = (await network.accounts(1)) as [Keypair];
    const create = (destination: Keypair, startingBalance: string) =>
      Operation.createAccount({ destination: destination.publicKey(), startingBalance });
    expect((await network.run(alice, [create(Keypair.random(), '0.9999999')])).operations).toEqual([
      'op_low_reserve',
    ]);
    expect((await network.run(alice, [create(network.root, '5')])).operations).toEqual(['op_already_exists']);
    expect((await network.run(alice, [create(Keypair.random(), '999.5')])).operations).toEqual([
      'op_underfunded',
    ]);
    const carol = Keypair.random();
    expect((await network.run(alice, [create(carol, '1')])).code).toBe('tx_success');
    const account = await network.server.loadAccount(carol.publicKey());
    expect(BigInt(account.sequence)).toBe(BigInt(account.last_modified_ledger) << 32n);
  });
});
