import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Asset, Operation } from '@stellar/stellar-sdk';
import type { Keypair } from '@stellar/stellar-sdk';
import { contractTransfer } from '../../test/support/contract-transfer.ts';
import { USD, column, openNetwork, pay } from '../test-support.ts';
import type { Settled, TestNetwork } from '../test-support.ts';

let network: TestNetwork;
let issuer: Keypair;
let alice: Keypair;
let bob: Keypair;
beforeAll(async () => {
  network = await openNetwork();
  [issuer, alice, bob] = (await network.accounts(3)) as [Keypair, Keypair, Keypair];
  for (const holder of [alice, bob])
    await network.run(holder, [Operation.changeTrust({ asset: USD(issuer) })]);
  await network.run(issuer, [pay(alice, '10', USD(issuer))]);
});
afterAll(() => network.close());

async function transfer(asset: Asset, from: Keypair, amount: bigint, sender = from): Promise<Settled> {
  const [source, destination] = [from.publicKey(), bob.publicKey()];
  const { operation, sorobanData } = contractTransfer(network.passphrase, {
    asset,
    from: source,
    to: destination,
    amount,
  });
  return network.run(sender, [operation], { sorobanData, fee: '1000' });
}

async function holdings(key: Keypair): Promise<string | undefined> {
  const { balances } = await network.server.loadAccount(key.publicKey());
  return balances.find((entry) => 'asset_code' in entry)?.balance;
}

describe("a transfer by an asset's contract", () => {
  test('moves tokens, and is listed among the payments of both sides with what it moved', async () => {
    const { code, hash } = await transfer(USD(issuer), alice, 4_0000000n);
    expect(code).toBe('tx_success');
    expect([await holdings(alice), await holdings(bob)]).toEqual(['6.0000000', '4.0000000']);
    for (const { list } of [alice, bob].map((key) => ({ list: `/accounts/${key.publicKey()}/payments` }))) {
      const last = await network.get(`${list}?order=desc&limit=1`);
      expect(column(last, 'transaction_hash')).toEqual([hash]);
      expect(column(last, 'type')).toEqual(['invoke_host_function']);
      expect(column(last, 'asset_balance_changes')).toEqual([
        [
          expect.objectContaining({
            asset_code: 'USD',
            type: 'transfer',
            from: alice.publicKey(),
            to: bob.publicKey(),
            amount: '4.0000000',
          }),
        ],
      ]);
    }
  });

  test('moves lumens', async () => {
    const before = await network.server.loadAccount(bob.publicKey());
    expect((await transfer(Asset.native(), alice, 5_0000000n)).code).toBe('tx_success');
    const after = await network.server.loadAccount(bob.publicKey());
    const native = ({ balances }: typeof after): number =>
      Number(balances.find(({ asset_type: type }) => type === 'native')?.balance);
    expect(native(after) - native(before)).toBe(5);
  });

  test('traps when there is not enough, and when it is not the payer who sends it', async () => {
    const held = [await holdings(alice), await holdings(bob)];
    const trapped = { code: 'tx_failed', operations: ['function_trapped'] };
    expect(await transfer(USD(issuer), alice, 1_000_0000000n)).toMatchObject(trapped);
    expect(await transfer(USD(issuer), alice, 1n, bob)).toMatchObject(trapped);
    expect([await holdings(alice), await holdings(bob)]).toEqual(held);
  });
});
