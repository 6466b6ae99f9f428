import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { changeTransaction, insertTransaction } from '../../core/database/repositories/transactions.ts';
import { createLostClaims } from '../../core/database/lost-claims.ts';
import { createPublicFetch } from '../../core/http/public-fetch.ts';
import { selfSigned } from '../../core/http/testing/self-signed.ts';
import { signerFromSeed } from '../../core/keys/ed25519.ts';
import { SessionKeyRing } from '../../core/keys/jwt.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { createLog } from '../../core/runtime/log.ts';
import { newWithdrawMemo } from '../../core/transaction/memo.ts';
import type { Status } from '../../core/transaction/status.ts';
import type { Transaction, TransactionPatch } from '../../core/transaction/transaction.ts';
import { createLinks } from '../../server/interactive/links.ts';
import { DEADLINES, newAsset } from '../../server/sep24/testing/fixture.ts';
import { openCutDatabase } from '../../test/support/cut-database.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { callbackSender, RETRY_MS, type CallbackContext } from './callbacks.ts';
import { runPool } from './pool.ts';

interface Received {
  readonly host: string;
  readonly path: string;
  readonly signature: string;
  readonly contentType: string | undefined;
  readonly body: string;
  readonly transaction: Readonly<Record<string, unknown>>;
}

const HOSTS = ['wallet.example', 'other.example', 'hanging.example'] as const;
const pair = Keypair.random();
const asset = newAsset();
const newMemo = (): string => newWithdrawMemo((count) => randomBytes(count));

let db: TestDatabase;
let server: Server;
let port: number;
let ca: string;
let received: Received[];
let answer: (request: Received, response: ServerResponse) => void;

async function read(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { host = '', signature = '', 'content-type': contentType } = request.headers;
  const { transaction } = JSON.parse(body) as Pick<Received, 'transaction'>;
  const one = {
    host,
    path: request.url ?? '',
    signature: String(signature),
    contentType,
    body,
    transaction,
  };
  expect(request.headers['x-stellar-signature']).toBe(signature);
  received.push(one);
  answer(one, response);
}

beforeAll(async () => {
  db = await createTestDatabase();
  const credentials = selfSigned(...HOSTS);
  ca = credentials.cert;
  server = createServer(credentials, (request, response) => void read(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await db.drop();
});

beforeEach(() => {
  received = [];
  answer = (_request, response) => response.writeHead(204).end();
});

afterEach(async () => {
  await db.database.deleteFrom('task').execute();
});

/** The sender of the watcher; in place of DNS, every host is this machine. */
function newContext(allowPrivate: readonly string[] = HOSTS): CallbackContext {
  const anchor = { host: 'anchor.example', assets: [asset], deadlines: DEADLINES };
  const keys = new SessionKeyRing([{ kid: 'one', secret: randomBytes(32) }]);
  const links = createLinks({ anchor, keys, clock: systemClock, random: (count) => randomBytes(count) });
  return {
    database: db.database,
    anchor,
    clock: systemClock,
    log: createLog({ name: 'test', level: 'silent' }),
    wallets: {
      signer: signerFromSeed(pair.secret()),
      publicFetch: createPublicFetch({
        ca,
        allowPrivate,
        ports: [port],
        lookup: (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
      }),
      moreInfo: (transaction) => links.moreInfo(transaction),
    },
  };
}

const urlOf = (host: string, path = '/hook'): string => `https://${host}:${port}${path}`;

const create = (extra: object): Promise<Transaction> =>
  db.database
    .transaction()
    .execute((trx) =>
      insertTransaction(
        trx,
        { id: randomUUID(), kind: 'withdrawal', assetId: asset.id, subject: 'GCUSTOMER', ...extra },
        'test',
      ),
    );
const move = (transaction: Transaction, status: Status, patch: TransactionPatch = {}): Promise<Transaction> =>
  db.database
    .transaction()
    .execute((trx) => changeTransaction(trx, transaction, { status, patch, actor: 'test', reason: 'test' }));

/** A withdrawal that goes from the form to its end. */
async function walk(extra: object): Promise<Transaction> {
  const created = await create(extra);
  const memo = { anchorAccount: asset.distributionAccount, withdrawMemo: newMemo(), amountIn: 50_000_000n };
  const ready = await move(created, 'pending_user_transfer_start', memo);
  const paid = await move(ready, 'pending_anchor', { transferReceivedAt: new Date() });
  return move(paid, 'completed', { externalTransactionId: 'PAYOUT-1' });
}

/** Sends what is due, round by round, until nothing is; answers how many attempts were made. */
async function sendDue(context: CallbackContext): Promise<number> {
  const take = callbackSender(context);
  for (let attempts = 0; ;) {
    const jobs = await take(100);
    if (jobs.length === 0) return attempts;
    attempts += jobs.length;
    await Promise.all(jobs.map((job) => job()));
  }
}

const tasks = () =>
  db.database
    .selectFrom('task')
    .select(['key', 'attempts', 'doneAt', 'deadAt', 'lastError', 'nextAttemptAt'])
    .orderBy('key')
    .execute();
const makeDue = () =>
  db.database
    .updateTable('task')
    .set({ nextAttemptAt: new Date(0) })
    .execute();

describe('a callback', () => {
  test('is the body of GET /transaction, signed with the SIGNING_KEY', async () => {
    const created = await create({ callback: urlOf('wallet.example', '/hook?user=7') });
    await move(created, 'pending_user_transfer_start');
    await sendDue(newContext());
    const [one] = received;
    expect(received).toHaveLength(1);
    expect(one).toMatchObject({ path: '/hook?user=7', contentType: 'application/json' });
    expect(one?.transaction).toMatchObject({
      id: created.id,
      kind: 'withdrawal',
      status: 'pending_user_transfer_start',
      more_info_url: expect.stringMatching(/^https:\/\/anchor\.example\/.*token=/),
    });
    const [, seconds, signature = ''] = /^t=(\d+), s=(\S+)$/.exec(one?.signature ?? '') ?? [];
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(5);
    const message = Buffer.from(`${seconds}.wallet.example:${port}.${one?.body}`);
    expect(pair.verify(message, Buffer.from(signature, 'base64'))).toBe(true);
  });

  test('of each change tells the state after that change, in order, however late it goes', async () => {
    const { id } = await walk({ onChangeCallback: urlOf('wallet.example') });
    await sendDue(newContext());
    expect(received.map(({ transaction }) => [transaction['id'], transaction['status']])).toEqual([
      [id, 'pending_user_transfer_start'],
      [id, 'pending_anchor'],
      [id, 'completed'],
    ]);
    expect(received[0]?.transaction).toMatchObject({ completed_at: null, external_transaction_id: null });
    expect(received[2]?.transaction).toMatchObject({ external_transaction_id: 'PAYOUT-1' });
  });

  test('that fails is tried again later, and those after it wait for it', async () => {
    await walk({ onChangeCallback: urlOf('wallet.example') });
    answer = (_request, response) => response.writeHead(500).end();
    const context = newContext();
    expect(await sendDue(context)).toBe(1);
    const [first] = await tasks();
    expect(first).toMatchObject({ attempts: 1, doneAt: null, deadAt: null });
    expect(first?.lastError).toContain('500');
    const waitMs = (first?.nextAttemptAt.getTime() ?? 0) - Date.now();
    expect(waitMs).toBeGreaterThan(RETRY_MS[0] - 5_000);
    expect(waitMs).toBeLessThanOrEqual(RETRY_MS[0]);

    answer = (_request, response) => response.writeHead(200).end();
    await makeDue();
    await sendDue(context);
    expect(received.map(({ transaction }) => transaction['status'])).toEqual([
      'pending_user_transfer_start',
      'pending_user_transfer_start',
      'pending_anchor',
      'completed',
    ]);
  });

  test('that fails while the database is away waits as long as it would have', async () => {
    await walk({ onChangeCallback: urlOf('wallet.example') });
    await db.database.updateTable('task').set({ attempts: 4 }).execute();
    const away = await openCutDatabase(db);
    const lost = createLostClaims(systemClock);
    answer = (_request, response) => {
      away.cut();
      response.writeHead(500).end();
    };
    const jobs = await callbackSender({ ...newContext(), database: away.database, lost })(1);
    await Promise.all(jobs.map((job) => job()));
    await lost.giveBack(db.database);
    await away.close();
    const first = (await tasks()).find(({ attempts }) => attempts === 5);
    expect(first!.nextAttemptAt.getTime()).toBeGreaterThan(Date.now() + RETRY_MS[3]);
  });

  test('is given up after a day of attempts; the next one then has its turn', async () => {
    await walk({ onChangeCallback: urlOf('wallet.example') });
    answer = ({ transaction }, response) =>
      response.writeHead(transaction['status'] === 'pending_user_transfer_start' ? 503 : 200).end();
    const context = newContext();
    for (let attempt = 1; attempt <= RETRY_MS.length + 1; attempt++) {
      expect(received).toHaveLength(attempt - 1);
      await makeDue();
      const take = callbackSender(context);
      for (const job of await take(1)) await job();
    }
    const [first] = await tasks();
    expect(first).toMatchObject({ attempts: 12, doneAt: null, deadAt: expect.any(Date) });
    expect(RETRY_MS.reduce((sum: number, ms) => sum + ms, 0) / 3_600_000).toBeCloseTo(24, 0);
    received = [];
    await sendDue(context);
    expect(received.map(({ transaction }) => transaction['status'])).toEqual(['pending_anchor', 'completed']);
  });

  test('that is replayed after later ones tells today’s state, not an old one', async () => {
    const { id } = await walk({ onChangeCallback: urlOf('wallet.example') });
    const key = `on_change_callback:${id}:2`;
    await db.database.updateTable('task').set({ deadAt: new Date() }).where('key', '=', key).execute();
    const context = newContext();
    await sendDue(context);
    received = [];
    await db.database.updateTable('task').set({ deadAt: null }).where('key', '=', key).execute();
    await sendDue(context);
    expect(received.map(({ transaction }) => transaction['status'])).toEqual(['completed']);
  });

  test('that is late asks for no money that is no longer waited for', async () => {
    const created = await create({ onChangeCallback: urlOf('wallet.example') });
    const memo = { anchorAccount: asset.distributionAccount, withdrawMemo: '78' };
    const ready = await move(created, 'pending_user_transfer_start', memo);
    const context = newContext();
    await sendDue(context);
    expect(received[0]?.transaction).toMatchObject({ withdraw_memo: '78' });
    await db.database.updateTable('task').set({ doneAt: null }).execute();
    await move(ready, 'expired');
    await sendDue(context);
    expect(received[1]?.transaction).toMatchObject({
      status: 'pending_user_transfer_start',
      withdraw_memo: null,
      withdraw_anchor_account: null,
    });
    expect(received[2]?.transaction).toMatchObject({ status: 'expired' });
  });

  test('to one URL is not held up by another URL of the same transaction', async () => {
    const created = await create({
      callback: urlOf('wallet.example', '/broken'),
      onChangeCallback: urlOf('wallet.example', '/well'),
    });
    answer = ({ path }, response) => response.writeHead(path === '/broken' ? 500 : 200).end();
    const ready = await move(created, 'pending_user_transfer_start');
    await move(ready, 'expired');
    await sendDue(newContext());
    const well = received.filter(({ path }) => path === '/well');
    expect(well.map(({ transaction }) => transaction['status'])).toEqual([
      'pending_user_transfer_start',
      'expired',
    ]);
  });

  test('to a private address is refused while connecting, and given up at once', async () => {
    const created = await create({ callback: urlOf('wallet.example') });
    await move(created, 'pending_user_transfer_start');
    expect(await sendDue(newContext([]))).toBe(1);
    expect(received).toEqual([]);
    expect(await tasks()).toMatchObject([{ attempts: 1, deadAt: expect.any(Date) }]);
    expect((await tasks())[0]?.lastError).toContain('address is not public');
  });

  test('is sent by one of two watchers', async () => {
    await walk({ onChangeCallback: urlOf('wallet.example') });
    await Promise.all([sendDue(newContext()), sendDue(newContext())]);
    await sendDue(newContext());
    expect(received).toHaveLength(3);
  });

  test('that hangs holds up no other wallet’s, however many hang', async () => {
    answer = ({ host }, response) => {
      if (!host.startsWith('hanging')) response.writeHead(200).end();
    };
    for (let index = 0; index < 30; index++) {
      await move(await create({ callback: urlOf('hanging.example') }), 'pending_user_transfer_start');
    }
    const well = await walk({ onChangeCallback: urlOf('other.example') });
    const context = newContext();
    const stop = new AbortController();
    const pool = runPool({
      name: 'callbacks',
      limit: 12,
      idleMs: 20,
      longestIdleMs: 20,
      clock: systemClock,
      signal: stop.signal,
      log: context.log,
      take: callbackSender(context),
    });
    const told = () => received.filter(({ transaction }) => transaction['id'] === well.id).length;
    const startedAt = Date.now();
    while (told() < 3 && Date.now() - startedAt < 4_000) await systemClock.sleep(20);
    const toldInTime = told();
    stop.abort();
    answer = (_request, response) => response.end();
    server.closeAllConnections();
    await pool;
    // In less than the deadline of a call: none of the hanging ones had ended yet.
    expect(toldInTime).toBe(3);
  });
});
