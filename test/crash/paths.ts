import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { playOperator } from '../faults/operator.ts';
import { pay } from '../faults/payments.ts';
import type { PlannedDeposit } from '../faults/schedule.ts';
import { makeTransaction, Memo, Operation, read, sleep } from '../faults/stellar.ts';
import { deposit, withdraw, type WalletContext } from '../faults/wallets.ts';

/** Tokens that nobody else pays. */
const STRAYS = ['4321.01', '4321.02', '4321.03'];
const CLAIM_INDEX = 700_000;
const OUTBID_INDEX = 710_000;
/** Withdrawals with tokens that nobody else pays, too. */
const REFUND_INDEX = 720_000;
const REFUND_HUNDREDTHS = 30_000;
const REFUND_EVERY_MS = 5_000;
const WAIT_MS = 120_000;
const LOOK_MS = 1_000;
/** More than a hundred stroops for an operation, which is what ours bid in quiet times; less than the anchor's cap. */
const SURGE_STROOPS = 3_000;
/** As the simulator's spec has them (test/faults/anchor-files.ts). */
const CHANNELS = 3;
/** What is left on a channel: too little for the fees of a full submission. What a full one has (core/payments/channels.ts). */
const LEFT_XLM = 2;
const FULL_XLM = 4;

/** Whether there was a crash before and after each effect whose name has this in it (points.ts). */
export type IsCrashedAt = (effect: string) => boolean;

/**
 * Takes the ways of money that the wallets of a schedule do not, or not surely: payments that belong to nothing go back, the bank
 * refunds withdrawals, payouts are laid on the ledger and taken back, surges outbid what is sent, a channel is emptied by somebody
 * else with our seed, which a person adopts and the upkeep makes good, and channels are merged back.
 */
export async function takeOtherPaths(context: WalletContext, isCrashedAt: IsCrashedAt): Promise<void> {
  const ending = new AbortController();
  const operator = playOperator(context.world, context.records, ending.signal);
  try {
    await Promise.all([sendStrays(context), layAndLeave(context), withdrawInVain(context, isCrashedAt)]);
    await drainChannel(context);
    await retireChannels(context);
    // At the end: a crash elsewhere would let the surge pass by.
    await outbid(context, () => isCrashedAt('submission_bump'));
  } finally {
    ending.abort();
    await operator;
  }
}

/** Support sends back what nobody expected: `capstan receipts refund`, which may be killed like any other process. */
async function sendStrays({ world, sep24, records }: WalletContext): Promise<void> {
  const [customer] = world.customers;
  if (!customer) return;
  const account = customer.keypair.publicKey();
  for (const amount of STRAYS) {
    await pay(world, customer, [{ asset: 'first', amount, memo: Memo.id('9'), way: 'payment' }]);
    records.returned.push({ account, asset: 'first', amount });
    const find = `select id, state from receipt where from_account = $1 and amount = $2`;
    await sep24.insist(async () => {
      const [receipt] = await world.postgres.query(find, [account, stroopsOf(amount)]);
      if (!receipt) throw new Error(`the payment of ${amount} is not recorded yet`);
      if (receipt['state'] !== 'unmatched') return;
      await world.crew.run(
        'receipts refund',
        String(receipt['id']),
        '--reason',
        'a stray',
        '--as',
        'sim',
        '--yes',
      );
    });
  }
}

const stroopsOf = (amount: string): string => amount.replace('.', '') + '00000';

/** One customer claims, the others never come. */
async function layAndLeave(context: WalletContext): Promise<void> {
  const plans = ['claimed', 'reclaimed', 'reclaimed'] as const;
  await Promise.all(
    plans.map((claim, at) => {
      return deposit(context, { ...plannedAs(CLAIM_INDEX + at, at), asset: 'second', claim });
    }),
  );
}

/**
 * The bank refunds. Again and again: a process that has just been started again and does not crash yet may be the one that
 * queues the few refunds of a schedule.
 */
async function withdrawInVain(context: WalletContext, isCrashedAt: IsCrashedAt): Promise<void> {
  const isDone = (): boolean => isCrashedAt('[event+ task~ transaction~ transfer+]');
  for (let nth = 0; nth * REFUND_EVERY_MS < WAIT_MS && !isDone(); nth += 1) {
    await withdraw(context, {
      index: REFUND_INDEX + nth,
      atMs: 0,
      customer: nth % context.world.customers.length,
      asset: 'first',
      amount: ((REFUND_HUNDREDTHS + nth) / 100).toFixed(2),
      way: 'payment',
      bank: 'refunds',
      wrong: 'noMemo',
    });
    await sleep(REFUND_EVERY_MS);
  }
}

/** @param index tokens with two decimals, too; others than those of the schedules */
const plannedAs = (index: number, customer: number): PlannedDeposit => ({
  index,
  atMs: 0,
  customer,
  asset: 'first',
  amount: (index / 100).toFixed(2),
  paysAfterMs: 0,
});

/**
 * Others fill the ledgers, so that what waits in the queue, sent for the rate of before, has to be replaced. No ledger
 * closes until it waits there.
 */
async function outbid(context: WalletContext, isOutbid: () => boolean): Promise<void> {
  const { ledger, postgres } = context.world;
  const isWaiting = async (): Promise<boolean> =>
    (await postgres.query(`select 1 from submission where state = 'pending'`)).length > 0;
  await until('what was sent before is settled', async () => !(await isWaiting()));
  await ledger.misbehave({
    skipCloses: { durationMs: WAIT_MS },
    surge: { bidStroops: SURGE_STROOPS, durationMs: WAIT_MS },
  });
  const waiting = deposit(context, plannedAs(OUTBID_INDEX, 0));
  await until('a payout is sent', isWaiting);
  await ledger.misbehave({ skipCloses: null });
  await until('a dearer envelope is sent', async () => isOutbid());
  await ledger.misbehave({ surge: null });
  await waiting;
}

interface Account {
  readonly id: string;
  readonly balances: readonly { readonly asset_type: string; readonly balance: string }[];
}

async function channelsOf({ world }: WalletContext): Promise<readonly Account[]> {
  const hotWallet = world.assets.first.distribution.publicKey();
  const page = (await read(world.stellar, `/accounts?signer=${hotWallet}&limit=200`)) as {
    _embedded: { records: readonly Account[] };
  };
  return page._embedded.records.filter(({ id }) => id !== hotWallet);
}

const xlmOf = ({ balances }: Account): number =>
  Number(balances.find(({ asset_type: type }) => type === 'native')?.balance ?? 0);

/** Somebody else with our seed takes a channel's XLM. The account freezes; a person adopts that; the channel is filled again. */
async function drainChannel(context: WalletContext): Promise<void> {
  const { world, records } = context;
  await until('the channels are made', async () => (await channelsOf(context)).length === CHANNELS);
  const [channel] = await channelsOf(context);
  const thief = world.customers[1]?.keypair.publicKey();
  if (!channel || thief === undefined) throw new Error('there is no channel to empty');
  const { id } = channel;
  const amount = (xlmOf(channel) - LEFT_XLM).toFixed(7);
  records.foreign.add(
    await makeTransaction(world.stellar, {
      source: world.assets.first.distribution,
      operations: [
        Operation.payment({ source: id, destination: thief, asset: world.assets.native.asset, amount }),
      ],
    }),
  );
  await until(`the emptied channel ${id} is full again`, async () => {
    const found = (await channelsOf(context)).find((one) => one.id === id);
    return found !== undefined && xlmOf(found) > FULL_XLM;
  });
}

/** The spec wants one channel instead of three: two are merged back. */
async function retireChannels(context: WalletContext): Promise<void> {
  const { crew, folder } = context.world;
  const config = path.join(folder, 'anchor.yaml');
  writeFileSync(config, readFileSync(config, 'utf8').replace(`channels: ${CHANNELS}`, 'channels: 1'));
  await Promise.all(crew.of('watch-transactions').map(({ child }) => child.restart()));
  await until('two channels are merged back', async () => (await channelsOf(context)).length === 1);
}

async function until(what: string, isDone: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!(await isDone())) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await sleep(LOOK_MS);
  }
}
