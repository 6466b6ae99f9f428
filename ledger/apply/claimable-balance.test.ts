import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Asset, Claimant, Operation } from '@stellar/stellar-sdk';
import type { Keypair } from '@stellar/stellar-sdk';
import { USD, column, openNetwork, pay } from '../test-support.ts';
import type { TestNetwork } from '../test-support.ts';

let network: TestNetwork;
/** Unix seconds; tests move it. */
let clock = 1_800_000_000;
beforeAll(async () => {
  network = await openNetwork({ now: () => clock * 1000 });
});
afterAll(() => network.close());

const create = (claimants: Claimant[], amount = '5', asset = Asset.native()) =>
  Operation.createClaimableBalance({ asset, amount, claimants });
const claim = (balanceId: string) => Operation.claimClaimableBalance({ balanceId });

describe('claimable balances', () => {
  test('have the id that the SDK computes, are found by claimant and sponsor, and are claimed once', async () => {
    const [alice, bob] = (await network.accounts(2)) as [Keypair, Keypair];
    const transaction = await network.build(alice, [create([new Claimant(bob.publicKey())])]);
    const id = transaction.getClaimableBalanceId(0);
    expect((await network.settle(transaction)).code).toBe('tx_success');
    expect((await network.server.loadAccount(alice.publicKey())).num_sponsoring).toBe(1);
    const byClaimant = await network.server.claimableBalances().claimant(bob.publicKey()).call();
    const bySponsor = await network.server.claimableBalances().sponsor(alice.publicKey()).call();
    expect(byClaimant.records.map((record) => record.id)).toEqual([id]);
    expect(bySponsor.records[0]).toMatchObject({
      amount: '5.0000000',
      asset: 'native',
      sponsor: alice.publicKey(),
    });
    expect((await network.run(alice, [claim(id)])).operations).toEqual(['op_cannot_claim']);
    expect((await network.run(bob, [claim(id)])).code).toBe('tx_success');
    expect((await network.run(bob, [claim(id)])).operations).toEqual(['op_does_not_exist']);
    expect((await network.server.loadAccount(alice.publicKey())).num_sponsoring).toBe(0);
  });

  test('wait for their time: relative times count from the ledger that made them', async () => {
    const [alice, bob, carol] = (await network.accounts(3)) as [Keypair, Keypair, Keypair];
    const soon = Claimant.predicateBeforeRelativeTime('100');
    const claimants = [
      new Claimant(bob.publicKey(), soon),
      new Claimant(
        carol.publicKey(),
        Claimant.predicateAnd(
          Claimant.predicateNot(soon),
          Claimant.predicateOr(
            Claimant.predicateBeforeAbsoluteTime('1900000000'),
            Claimant.predicateUnconditional(),
          ),
        ),
      ),
    ];
    const transaction = await network.build(alice, [create(claimants)]);
    const id = transaction.getClaimableBalanceId(0);
    await network.settle(transaction);
    expect((await network.run(carol, [claim(id)])).operations).toEqual(['op_cannot_claim']);
    clock += 100;
    expect((await network.run(bob, [claim(id)])).operations).toEqual(['op_cannot_claim']);
    const { body } = await network.get(`/claimable_balances/${id}`);
    expect(body).toMatchObject({ claimants: [{ predicate: { abs_before_epoch: String(clock) } }, {}] });
    expect((await network.run(carol, [claim(id)])).code).toBe('tx_success');
  });

  test('need reserves of their creator and, for a token, a trustline of who claims', async () => {
    const [issuer, bob, poor] = (await network.accounts(3, '3')) as [Keypair, Keypair, Keypair];
    const two = [new Claimant(bob.publicKey()), new Claimant(issuer.publicKey())];
    expect((await network.run(poor, [create(two, '1.5')])).operations).toEqual(['op_low_reserve']);
    const usd = USD(issuer);
    const transaction = await network.build(issuer, [create([new Claimant(bob.publicKey())], '5', usd)]);
    await network.settle(transaction);
    const id = transaction.getClaimableBalanceId(0);
    expect((await network.run(bob, [claim(id)])).operations).toEqual(['op_no_trust']);
    const trust = Operation.changeTrust({ asset: usd });
    expect((await network.run(bob, [trust, claim(id)])).code).toBe('tx_success');
    expect((await network.run(poor, [create(two, '1', usd)])).operations).toEqual(['op_no_trust']);
  });

  test('/payments does not list them, /operations does', async () => {
    const [alice, bob] = (await network.accounts(2)) as [Keypair, Keypair];
    const { hash } = await network.run(alice, [create([new Claimant(bob.publicKey())]), pay(bob, '1')]);
    const types = async (list: string) => column(await network.get(`/transactions/${hash}/${list}`), 'type');
    expect(await types('payments')).toEqual(['payment']);
    expect(await types('operations')).toEqual(['create_claimable_balance', 'payment']);
  });
});
