import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Keypair } from '@stellar/stellar-sdk';
import type { Database } from '../../core/database/database.ts';
import { insertTransaction } from '../../core/database/repositories/transactions.ts';
import { readBuiltIn } from '../../server/interactive/built-in.ts';
import { StaticFiles } from '../../server/interactive/static.ts';
import { STATUSES, type Status } from '../../core/transaction/status.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import { startAnchor, type FuzzAnchor } from './anchor.ts';
import { sendPlan } from './api.ts';
import { createClient } from './client.ts';
import { anyPlan } from './generate.ts';
import { SCRIPT } from './hostile.ts';
import { startFuzzIntegration } from './integration.ts';
import { Judge } from './judge.ts';
import { startFuzzLedger } from './ledger.ts';
import { watchLog, type WatchedLog } from './log.ts';
import { logIn, loginPlan } from './login.ts';
import { outagesOf, type Outage } from './outages.ts';
import { flowPlan, walk } from './pages.ts';
import { oddPlan, rawPlan, sendOdd, sendRaw } from './raw.ts';
import { ask, type Fuzz } from './session.ts';
import { Truth } from './truth.ts';
import { makeBadTokens, makeCustomers, tokenOf, type Known, type StatusLink, type World } from './world.ts';

export interface FuzzOptions {
  readonly database: Database;
  readonly requests: number;
  readonly seed: number;
}

export interface FuzzResult {
  readonly judge: Judge;
  readonly anchor: FuzzAnchor;
  readonly log: WatchedLog;
  /** What the integration refused: a call of ours that breaks the contract. */
  readonly integrationProblems: readonly string[];
  readonly transactions: number;
}

/** Requests at the same time. */
const CONCURRENCY = 16;
/** Of a hundred requests so many, and a little more, meet something that is down. */
const SHARE_DOWN = 0.012;

type Work = (fuzz: Fuzz) => Promise<void>;

/** All kinds of things that a wallet, a browser or a stranger does. */
const work: fc.Arbitrary<Work> = fc.oneof(
  {
    weight: 140,
    arbitrary: anyPlan.map(
      (plan): Work =>
        (fuzz) =>
          sendPlan(fuzz, plan),
    ),
  },
  {
    weight: 10,
    arbitrary: flowPlan.map(
      (plan): Work =>
        (fuzz) =>
          walk(fuzz, plan),
    ),
  },
  {
    weight: 8,
    arbitrary: loginPlan.map(
      (plan): Work =>
        (fuzz) =>
          logIn(fuzz, plan),
    ),
  },
  {
    weight: 10,
    arbitrary: oddPlan.map(
      (sending): Work =>
        (fuzz) =>
          sendOdd(fuzz, sending),
    ),
  },
  {
    weight: 2,
    arbitrary: rawPlan.map(
      (plan): Work =>
        (fuzz) =>
          sendRaw(fuzz, plan),
    ),
  },
);
/** What feels an outage. */
const workWhileDown: fc.Arbitrary<Work> = fc.oneof(
  {
    weight: 2,
    arbitrary: anyPlan.map(
      (plan): Work =>
        (fuzz) =>
          sendPlan(fuzz, plan),
    ),
  },
  {
    weight: 3,
    arbitrary: flowPlan.map(
      (plan): Work =>
        (fuzz) =>
          walk(fuzz, plan),
    ),
  },
  {
    weight: 3,
    arbitrary: loginPlan.map(
      (plan): Work =>
        (fuzz) =>
          logIn(fuzz, plan),
    ),
  },
);

/** Starts everything, sends so many requests, holds what was told against the database, ends everything. */
export async function runFuzz({ database, requests, seed }: FuzzOptions): Promise<FuzzResult> {
  const { customers, onLedger, shared } = makeCustomers();
  const ledger = await startFuzzLedger(onLedger, shared);
  const integration = await startFuzzIntegration();
  const signing = Keypair.random();
  const marker = `person${randomBytes(6).toString('hex')}`;
  const sessionKey = randomBytes(32).toString('hex');
  const log = watchLog([marker, sessionKey, integration.key, signing.secret()]);
  const anchor = await startAnchor({
    database,
    ledger,
    integration,
    signing,
    sessionKey,
    writeLog: log.write,
  });
  const client = createClient(anchor.port);
  try {
    const world = await makeWorld(anchor, database, { customers, marker });
    const seeded = new Map(
      (await database.selectFrom('transaction').select(['id', 'status']).execute()).map(({ id, status }) => [
        id,
        status,
      ]),
    );
    let isDown = false;
    const fuzz: Fuzz = { client, judge: new Judge(), truth: new Truth(), world, isDown: () => isDown };
    const outages = outagesOf(ledger, integration);
    const rounds = outages.length;
    for (const [round, outage] of outages.entries()) {
      await send(fuzz, work, { until: Math.ceil((requests * (round + 1)) / rounds), seed: seed + 2 * round });
      const until = fuzz.judge.counts.requests + Math.ceil((requests * SHARE_DOWN) / rounds);
      await during(
        outage,
        (value) => (isDown = value),
        () => send(fuzz, workWhileDown, { until, seed: seed + 2 * round + 1 }),
      );
      await recover(fuzz);
    }
    await fuzz.truth.check(fuzz.judge, database, seeded);
    return {
      judge: fuzz.judge,
      anchor,
      log,
      integrationProblems: integration.problems,
      transactions: fuzz.truth.created.size,
    };
  } finally {
    client.close();
    await anchor.close();
    await integration.close();
    await ledger.close();
  }
}

/** Draws work by seed and does it, sixteen at a time, until so many requests have been sent. */
async function send(
  fuzz: Fuzz,
  arbitrary: fc.Arbitrary<Work>,
  { until, seed }: { until: number; seed: number },
): Promise<void> {
  const drawn = drawAll(arbitrary, seed);
  const worker = async (): Promise<void> => {
    while (fuzz.judge.counts.requests < until) {
      const next = drawn.next();
      if (next.done === true) return;
      await next.value(fuzz);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

const BATCH = 200;

function* drawAll(arbitrary: fc.Arbitrary<Work>, seed: number): Generator<Work, void> {
  for (let batch = 0; ; batch += 1)
    yield* fc.sample(arbitrary, { seed: seed * 1_000 + batch, numRuns: BATCH });
}

async function during(
  outage: Outage,
  mark: (isDown: boolean) => void,
  doWork: () => Promise<void>,
): Promise<void> {
  mark(true);
  await outage.start();
  try {
    await doWork();
  } finally {
    await outage.end();
    mark(false);
  }
}

/** One request alone is the probe by which the server learns that the integration is back. */
async function recover(fuzz: Fuzz): Promise<void> {
  const [customer] = fuzz.world.customers;
  const target = '/sep24/fee?operation=deposit&asset_code=SRT&amount=100';
  const headers = { authorization: `Bearer ${customer!.token}` };
  const probing = { ...fuzz, isDown: () => true };
  const { status } = await ask(probing, { method: 'GET', target, headers });
  if (status !== 200) fuzz.judge.blame(`nothing works after an outage: ${status}`, undefined);
}

async function makeWorld(
  { anchor, sessionKeys, links: pages }: FuzzAnchor,
  database: Database,
  {
    customers: anonymous,
    marker,
  }: { customers: readonly Omit<World['customers'][number], 'token'>[]; marker: string },
): Promise<World> {
  const { host, assets } = anchor;
  const customers = anonymous.map((one) => ({
    ...one,
    token: tokenOf(one.subject, { keys: sessionKeys, host }),
  }));
  const known: Known[] = [];
  const links: StatusLink[] = [];
  for (const [index, status] of STATUSES.entries()) {
    for (const customer of customers.slice(0, 3)) {
      const seeded = await seedTransaction(database, { customer, status, index, assetId: assets[0]!.id });
      known.push(seeded.known);
      const token = new URL(pages.moreInfo(seeded.transaction)).searchParams.get('token') ?? '';
      links.push({ known: seeded.known, token });
    }
  }
  return {
    customers,
    known,
    visits: [],
    links,
    stylePath: new StaticFiles(readBuiltIn().files).urlOf('style.css')!,
    issuer: assets[0]!.issuer!,
    ownAccounts: assets.map(({ distributionAccount }) => distributionAccount),
    marker,
    badTokens: makeBadTokens(customers[0]!.subject, sessionKeys, host),
  };
}

/** A transaction as workers and operators leave it behind, with words that a page must not take for HTML. */
async function seedTransaction(
  database: Database,
  {
    customer,
    status,
    index,
    assetId,
  }: { customer: World['customers'][number]; status: Status; index: number; assetId: string },
): Promise<{ readonly known: Known; readonly transaction: Transaction }> {
  const id = randomUUID();
  const stellarId = randomBytes(32).toString('hex');
  const externalId = `REF-${randomBytes(6).toString('hex')}`;
  const amount = parseAmount('100');
  const input = {
    id,
    kind: index % 2 === 0 ? 'deposit' : 'withdrawal',
    status,
    assetId,
    subject: customer.subject,
    lang: 'en',
    amountExpected: amount,
    amountIn: amount,
    amountFee: parseAmount('1.5'),
    amountOut: parseAmount('98.5'),
    destination: customer.pair.publicKey(),
    message: `${SCRIPT} & "more"`,
    stellarTransactionId: stellarId,
    externalTransactionId: externalId,
    instructions: { how: [{ label: SCRIPT, value: SCRIPT, copy: true }] },
  } as const;
  const transaction = await database.transaction().execute((trx) => insertTransaction(trx, input, 'test'));
  return { known: { id, customer, stellarId, externalId }, transaction };
}
