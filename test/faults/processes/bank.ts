import { DatabaseSync } from 'node:sqlite';
import {
  pathOf,
  readBody,
  sendJson,
  serveIntegration,
  type HookHandlers,
  type WithdrawalOutcome,
} from '../../../integration/sdk.ts';

/**
 * The bank of the simulation, an integration with a book of its own. It is naive on purpose: it pays whatever it is asked
 * under an idempotency key that it has not seen, so that a withdrawal that is processed under two keys is paid twice.
 *
 * BANK_BOOK: the SQLite file. CAPSTAN_INTEGRATION_KEY: as Capstan has it. Its customers use `POST /book/deposits` with
 * {id, amount} (the transfer arrives) and `POST /book/withdrawals` with {id, plan} (what becomes of it), both once for an id.
 */
const { BANK_BOOK: file = '', CAPSTAN_INTEGRATION_KEY: key = '' } = process.env;
const book = new DatabaseSync(file, { timeout: 5_000 });
book.exec(`
  pragma journal_mode = wal;
  pragma synchronous = off;
  create table if not exists arrival (id text primary key, amount text not null, reference text not null, at text not null);
  create table if not exists plan (id text primary key, plan text not null, part text not null);
  create table if not exists payout (key text primary key, id text not null, amount text not null, at integer not null);
  create table if not exists asked (key text primary key, id text not null, answer text not null);
  create table if not exists told (id text not null, hash text not null);
`);

/** How long a payout is under way that is not done at once. */
const UNDER_WAY_MS = 2_000;

interface Arrival {
  readonly amount: string;
  readonly reference: string;
  readonly at: string;
}

const hooks: HookHandlers = {
  'deposits/poll': ({ deposits }) => ({
    results: deposits.flatMap(({ id, bankReference }) => {
      const found = book.prepare('select amount, reference, at from arrival where id = ?').get(id);
      if (!found || bankReference !== undefined) return [];
      const { amount, reference, at } = found as unknown as Arrival;
      return [{ id, outcome: 'arrived' as const, amount, reference, at }];
    }),
  }),
  'deposits/completed': ({ transaction, payout }) => {
    book
      .prepare('insert into told (id, hash) values (?, ?)')
      .run(transaction.id, payout.stellarTransactionId);
    return {};
  },
  'withdrawals/process': ({ transaction, payoutAmount }, { idempotencyKey }) => {
    const known = book.prepare('select answer from asked where key = ?').get(idempotencyKey);
    if (known) return JSON.parse(String(known['answer'])) as WithdrawalOutcome;
    book.exec('begin immediate');
    const answer = decide(transaction.id, idempotencyKey, payoutAmount);
    book
      .prepare('insert into asked (key, id, answer) values (?, ?, ?)')
      .run(idempotencyKey, transaction.id, JSON.stringify(answer));
    book.exec('commit');
    return answer;
  },
  'withdrawals/poll': ({ withdrawals }) => ({
    results: withdrawals.flatMap(({ id, status }) => {
      if (status !== 'pending_external') return [];
      const found = book.prepare('select amount, at from payout where id = ?').get(id);
      if (!found || Date.now() - Number(found['at']) < UNDER_WAY_MS) return [];
      return [{ id, outcome: 'completed' as const, reference: `OUT-${id}`, amount: String(found['amount']) }];
    }),
  }),
};

/** What is done under a key for the first time: a customer's wish is the first key's, a later one pays the rest. */
function decide(id: string, idempotencyKey: string, amount: string): WithdrawalOutcome {
  const { plan = 'pays', part = '0' } = (book.prepare('select plan, part from plan where id = ?').get(id) ??
    {}) as { plan?: string; part?: string };
  const isFirst = book.prepare('select 1 from asked where id = ?').get(id) === undefined;
  if (plan === 'refunds') return { outcome: 'refund', reason: 'the customer has no account here' };
  if (plan === 'refundsPart' && isFirst)
    return { outcome: 'refund', amount: part, reason: 'only a part can be paid out' };
  book
    .prepare('insert into payout (key, id, amount, at) values (?, ?, ?, ?)')
    .run(idempotencyKey, id, amount, Date.now());
  return plan === 'paysLater'
    ? { outcome: 'pending_external', reference: `OUT-${id}` }
    : { outcome: 'completed', reference: `OUT-${id}`, amount };
}

const running = await serveIntegration({
  name: 'Simulated Bank',
  version: '1.0.0',
  key,
  port: 0,
  host: '127.0.0.1',
  hooks,
  other: (request, response) => {
    const answer = async (): Promise<void> => {
      const given = JSON.parse((await readBody(request, 10_000)).toString()) as Record<string, string>;
      const { id = '', amount = '', plan = '', part = '' } = given;
      if (pathOf(request) === '/book/deposits')
        book
          .prepare(
            'insert into arrival (id, amount, reference, at) values (?, ?, ?, ?) on conflict do nothing',
          )
          .run(id, amount, `IN-${id}`, new Date().toISOString());
      else
        book
          .prepare('insert into plan (id, plan, part) values (?, ?, ?) on conflict do nothing')
          .run(id, plan, part);
      sendJson(response, 200, '{}');
    };
    answer().catch((error: unknown) => sendJson(response, 500, JSON.stringify({ error: String(error) })));
  },
});
process.send?.({ ready: { port: running.port } });
process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
