import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuthImmutableFlag, AuthRevocableFlag, Keypair, Operation } from '@stellar/stellar-sdk';
import { USD, openNetwork, pay } from '../test-support.ts';
import type { TestNetwork } from '../test-support.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openNetwork();
});
afterAll(() => network.close());

describe('trustlines', () => {
  test('cost a reserve, keep their balance below the limit, and go when empty', async () => {
    const [issuer, alice] = (await network.accounts(2, '1.5001')) as [Keypair, Keypair];
    const usd = USD(issuer);
    const line = (limit: string, asset = usd) => Operation.changeTrust({ asset, limit });
    expect((await network.run(alice, [line('0')])).operations).toEqual(['op_invalid_limit']);
    expect((await network.run(alice, [line('10', USD(Keypair.random()))])).operations).toEqual([
      'op_no_issuer',
    ]);
    expect((await network.run(alice, [line('10')])).code).toBe('tx_success');
    const second = Operation.changeTrust({ asset: USD(network.root) });
    expect((await network.run(alice, [second])).operations).toEqual(['op_low_reserve']);
    await network.run(issuer, [pay(alice, '7', usd)]);
    expect((await network.run(alice, [line('6')])).operations).toEqual(['op_invalid_limit']);
    expect((await network.run(alice, [pay(issuer, '7', usd), line('0')])).code).toBe('tx_success');
    expect((await network.server.loadAccount(alice.publicKey())).subentry_count).toBe(0);
  });

  test('an issuer may not revoke unless its flag says so, with either operation', async () => {
    const [issuer, alice] = (await network.accounts(2)) as [Keypair, Keypair];
    await network.run(alice, [Operation.changeTrust({ asset: USD(issuer) })]);
    const allow = Operation.allowTrust({ trustor: alice.publicKey(), assetCode: 'USD', authorize: false });
    const flags = Operation.setTrustLineFlags({
      trustor: alice.publicKey(),
      asset: USD(issuer),
      flags: { authorized: false },
    });
    expect((await network.run(issuer, [allow, flags])).operations).toEqual([
      'op_cant_revoke',
      'op_cant_revoke',
    ]);
    await network.run(issuer, [Operation.setOptions({ setFlags: AuthRevocableFlag })]);
    expect((await network.run(issuer, [allow])).code).toBe('tx_success');
    const { balances } = await network.server.loadAccount(alice.publicKey());
    expect(balances[0]).toMatchObject({ is_authorized: false, is_authorized_to_maintain_liabilities: false });
    const stranger = Operation.allowTrust({
      trustor: network.root.publicKey(),
      assetCode: 'USD',
      authorize: true,
    });
    expect((await network.run(issuer, [stranger])).operations).toEqual(['op_no_trustline']);
  });
});

describe('signers', () => {
  test('a channel whose only signer is another key is used with that key alone', async () => {
    const [hot, channel] = (await network.accounts(2)) as [Keypair, Keypair];
    const signer = { ed25519PublicKey: hot.publicKey(), weight: 1 };
    const thresholds = { masterWeight: 0, lowThreshold: 1, medThreshold: 1, highThreshold: 1 };
    expect((await network.run(channel, [Operation.setOptions({ signer, ...thresholds })])).code).toBe(
      'tx_success',
    );
    const operations = [pay(network.root, '1', undefined, hot)];
    expect((await network.run(channel, operations)).code).toBe('tx_bad_auth');
    expect((await network.run(channel, operations, { signers: [hot] })).code).toBe('tx_success');
    const { records } = await network.server.accounts().forSigner(hot.publicKey()).call();
    expect(records.map(({ id }) => id)).toEqual([hot.publicKey(), channel.publicKey()].sort());
  });

  test('thresholds apply to each operation, and weights add up', async () => {
    const [alice, one, two] = (await network.accounts(3)) as [Keypair, Keypair, Keypair];
    const add = (key: Keypair, weight: number) =>
      Operation.setOptions({ signer: { ed25519PublicKey: key.publicKey(), weight } });
    const limits = Operation.setOptions({ lowThreshold: 1, medThreshold: 2, highThreshold: 3 });
    await network.run(alice, [add(one, 1), add(two, 1), limits]);
    const bump = Operation.bumpSequence({ bumpTo: '0' });
    expect((await network.run(alice, [bump], { signers: [one] })).code).toBe('tx_success');
    expect(await network.run(alice, [pay(one, '1')], { signers: [one] })).toMatchObject({
      code: 'tx_failed',
      operations: ['op_bad_auth'],
    });
    expect((await network.run(alice, [pay(one, '1')], { signers: [one, two] })).code).toBe('tx_success');
    const change = Operation.setOptions({ masterWeight: 2 });
    expect((await network.run(alice, [change], { signers: [one, two] })).operations).toEqual(['op_bad_auth']);
    expect((await network.run(alice, [change], { signers: [alice, one, two] })).code).toBe('tx_success');
  });

  test('a transaction that is itself a signer needs no signature, once', async () => {
    const [alice] = (await network.accounts(1)) as [Keypair];
    const { sequence } = await network.server.loadAccount(alice.publicKey());
    const later = await network.build(alice, [pay(network.root, '1')], {
      sequence: BigInt(sequence) + 2n,
      signers: [],
    });
    const signer = { preAuthTx: Buffer.from(later.hash()), weight: 1 };
    expect((await network.run(alice, [Operation.setOptions({ signer })])).code).toBe('tx_success');
    expect((await network.settle(later)).code).toBe('tx_success');
    expect((await network.server.loadAccount(alice.publicKey())).signers).toHaveLength(1);
  });

  test('an immutable account keeps its flags', async () => {
    const [alice] = (await network.accounts(1)) as [Keypair];
    await network.run(alice, [
      Operation.setOptions({ setFlags: AuthImmutableFlag, homeDomain: 'harbor.example' }),
    ]);
    const change = Operation.setOptions({ setFlags: AuthRevocableFlag });
    expect((await network.run(alice, [change])).operations).toEqual(['op_cant_change']);
    const { body } = await network.get(`/accounts/${alice.publicKey()}`);
    expect(body).toMatchObject({ home_domain: 'harbor.example', flags: { auth_immutable: true } });
  });
});

describe('data, sequence and merge', () => {
  test('a data entry is kept, shown in base64 and removed', async () => {
    const [alice] = (await network.accounts(1)) as [Keypair];
    const set = (value: string | null) => Operation.manageData({ name: 'config.memo_required', value });
    expect((await network.run(alice, [set(null)])).operations).toEqual(['op_data_name_not_found']);
    await network.run(alice, [set('1')]);
    const account = await network.server.loadAccount(alice.publicKey());
    expect(account.data_attr).toEqual({ 'config.memo_required': 'MQ==' });
    const { body } = await network.get(`/accounts/${alice.publicKey()}/data/config.memo_required`);
    expect(body).toEqual({ value: 'MQ==' });
    await network.run(alice, [set(null)]);
    expect((await network.get(`/accounts/${alice.publicKey()}/data/config.memo_required`)).status).toBe(404);
  });

  test('a sequence number only moves up', async () => {
    const [alice] = (await network.accounts(1)) as [Keypair];
    const bump = (bumpTo: string) => Operation.bumpSequence({ bumpTo });
    await network.run(alice, [bump('9223372036854775000')]);
    await network.run(alice, [bump('5')]);
    expect((await network.server.loadAccount(alice.publicKey())).sequence).toBe('9223372036854775001');
  });

  test('a merged account is gone, its history stays', async () => {
    const [issuer, alice, bob] = (await network.accounts(3)) as [Keypair, Keypair, Keypair];
    const merge = Operation.accountMerge({ destination: bob.publicKey() });
    await network.run(alice, [Operation.changeTrust({ asset: USD(issuer) })]);
    expect((await network.run(alice, [merge])).operations).toEqual(['op_has_sub_entries']);
    await network.run(alice, [Operation.changeTrust({ asset: USD(issuer), limit: '0' })]);
    const nowhere = Operation.accountMerge({ destination: Keypair.random().publicKey() });
    expect((await network.run(alice, [nowhere])).operations).toEqual(['op_no_account']);
    expect((await network.run(alice, [merge])).code).toBe('tx_success');
    expect((await network.get(`/accounts/${alice.publicKey()}`)).status).toBe(404);
    const { records } = await network.server
      .payments()
      .forAccount(alice.publicKey())
      .order('desc')
      .limit(1)
      .call();
    expect(records[0]).toMatchObject({ type: 'account_merge', into: bob.publicKey() });
    expect(records[0]).not.toHaveProperty('amount');
  });

  test('a kind of operation that the ledger does not have is refused at once', async () => {
    const [alice] = (await network.accounts(1)) as [Keypair];
    const inflation = Operation.inflation({});
    expect(await network.run(alice, [inflation])).toMatchObject({
      code: 'tx_failed',
      operations: ['op_not_supported'],
    });
  });
});
