import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Keypair } from '@stellar/stellar-sdk';
import { insertTransaction } from '../../core/database/repositories/transactions.ts';
import { formatAmount, parseAmount } from '../../core/transaction/amount.ts';
import { direction } from '../../test/support/anchor.ts';
import { startIntegration, type TestIntegration } from '../../test/support/integration.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, testLog, type PaymentWorld } from '../../test/support/payments.ts';
import { receivedWithdrawal, rich, runEffects } from '../../test/support/withdrawals.ts';
import { newAccount } from '../../test/support/transaction.ts';
import { pollIntegration } from './poll-deposits.ts';

/** What the customer saw and agreed to on the page: 100, of which 2 are the fee. */
const agreed = {
  amountExpected: parseAmount('100'),
  amountIn: parseAmount('100'),
  amountFee: parseAmount('2'),
  feeDetails: [{ name: 'Transfer', amount: parseAmount('2') }],
  amountOut: parseAmount('98'),
};

let ledger: TestLedger;
let world: PaymentWorld;
let holder: Keypair;
let bank: TestIntegration;
let arrivals: { readonly id: string; readonly amount: string }[] = [];
const quoted: string[] = [];
const payouts: string[] = [];

beforeAll(async () => {
  ledger = await startTestLedger();
  // The manifest that is in force when the money comes asks five times as much, and the integration more still.
  const dear = direction({ fee: { fixed: parseAmount('10'), percent: '0' } });
  world = await openWorld(ledger, { asset: { deposit: dear, withdrawal: dear } });
  holder = await rich(world);
  bank = await startIntegration({
    'deposits/poll': () => ({
      results: arrivals.map(({ id, amount }) => ({ id, outcome: 'arrived', amount, reference: `b-${id}` })),
    }),
    fee: ({ amount }) => {
      quoted.push(amount);
      return { total: '11', details: [] };
    },
    'withdrawals/process': ({ transaction, payoutAmount }) => {
      payouts.push(payoutAmount);
      return { outcome: 'completed', reference: `b-${transaction.id}` };
    },
  });
});
afterAll(async () => {
  await bank.close();
  await world.close();
  await ledger.close();
});

async function arrive(amount: string) {
  const input = {
    id: randomUUID(),
    kind: 'deposit',
    status: 'pending_user_transfer_start',
    assetId: world.asset.id,
    subject: newAccount(),
    destination: newAccount(),
    ...agreed,
  } as const;
  await world.db.database.transaction().execute((trx) => insertTransaction(trx, input, 'test'));
  arrivals = [{ id: input.id, amount }];
  const { database, anchor, clock } = world.context;
  const context = { database, anchor, clock, log: testLog, integration: bank.client };
  await pollIntegration(context, new AbortController().signal);
  const { amountFee, amountOut, feeDetails } = await world.read(input.id);
  return { fee: formatAmount(amountFee!), out: formatAmount(amountOut!), lines: feeDetails };
}

describe('the fee that a customer agreed to', () => {
  test('is the fee of a deposit whose money is what was announced, though fees have gone up since', async () => {
    quoted.length = 0;
    expect(await arrive('100')).toEqual({ fee: '2', out: '98', lines: agreed.feeDetails });
    expect(quoted).toEqual([]);
  });

  test('is not the fee of another amount: that is asked for anew', async () => {
    quoted.length = 0;
    expect(await arrive('99')).toMatchObject({ fee: '11', out: '88' });
    expect(quoted).toEqual(['99']);
  });

  test('is the fee of a withdrawal whose payment is what was announced, and not of another', async () => {
    quoted.length = 0;
    const context = { ...world.context, integration: bank.client };
    await receivedWithdrawal(world, holder, { changes: agreed });
    await runEffects(context);
    await receivedWithdrawal(world, holder, { amount: '95', changes: agreed });
    await runEffects(context);
    expect(payouts).toEqual(['98', '84']);
    expect(quoted).toEqual(['95']);
  });
});
