import { expect, test } from '@jest/globals';
import { Asset, Operation } from '@stellar/stellar-sdk';
import type { Keypair } from '@stellar/stellar-sdk';
import fc from 'fast-check';
import { FRIENDBOT_FLOAT, TOTAL_COINS } from '../network.ts';
import { USD, openNetwork, pay } from '../test-support.ts';
import type { TestNetwork } from '../test-support.ts';

const ACCOUNTS = 4;

function stroops(amount: string): bigint {
  return BigInt(amount.replace('.', ''));
}

/** Everything that each account holds of an asset code, summed. */
async function supply(network: TestNetwork, holders: readonly string[], code: string): Promise<bigint> {
  const accounts = await Promise.all(holders.map((id) => network.server.loadAccount(id)));
  return accounts
    .flatMap(({ balances }) => balances)
    .filter((entry) => ('asset_code' in entry ? entry.asset_code : 'XLM') === code)
    .reduce((sum, { balance }) => sum + stroops(balance), 0n);
}

interface Step {
  readonly from: number;
  readonly to: number;
  readonly amount: string;
  readonly isToken: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  from: fc.nat(ACCOUNTS - 1),
  to: fc.nat(ACCOUNTS - 1),
  amount: fc.bigInt(1n, 600n * 10_000_000n).map((value) => {
    const digits = value.toString().padStart(8, '0');
    return `${digits.slice(0, -7)}.${digits.slice(-7)}`;
  }),
  isToken: fc.boolean(),
});

test('lumens and the fee pool sum up to all there are; tokens to what was issued and not burned', async () => {
  const network = await openNetwork();
  const keys = (await network.accounts(ACCOUNTS)) as [Keypair, ...Keypair[]];
  const usd = USD(keys[0]);
  for (const key of keys.slice(1))
    await network.run(key, [Operation.changeTrust({ asset: usd, limit: '1000' })]);
  const holders = [network.root, ...keys].map((key) => key.publicKey());
  let issued = 0n;
  const apply = async (batch: readonly Step[], from: number): Promise<void> => {
    const operations = batch.map(({ to, amount, isToken }) =>
      pay(keys[to]!, amount, isToken ? usd : Asset.native()),
    );
    const { code } = await network.run(keys[from]!, operations);
    if (code !== 'tx_success') return;
    for (const { to, amount, isToken } of batch) {
      if (!isToken || to === from) continue;
      if (from === 0) issued += stroops(amount);
      if (to === 0) issued -= stroops(amount);
    }
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      for (const from of new Set(steps.map((each) => each.from))) {
        await apply(
          steps.filter((each) => each.from === from),
          from,
        );
      }
      const { records } = await network.server.ledgers().order('desc').limit(1).call();
      const lumens = await supply(network, holders, 'XLM');
      expect(lumens + FRIENDBOT_FLOAT + stroops(records[0]!.fee_pool)).toBe(TOTAL_COINS);
      expect(await supply(network, holders, 'USD')).toBe(issued);
    }),
    { numRuns: 25 },
  );
  expect(issued).toBeGreaterThan(0n);
  await network.close();
}, 30_000);
