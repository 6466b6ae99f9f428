import { expect } from '@jest/globals';
import { sql } from 'kysely';
import pg from 'pg';
import { assetOf } from '../../../test/support/anchor.ts';
import { createTestDatabase } from '../../../test/support/database.ts';
import { newAccount } from '../../../test/support/transaction.ts';
import { openDatabase, type Database, type DatabaseTransaction } from '../database.ts';
import { isPreparedByName } from '../prepared.ts';

/** Of a hundred thousand all but about a thousand are over and done with, as in an anchor of some age. */
const ROWS = 100_000;
const SMALL = 1_000;

const uuid = (prefix: string) =>
  sql.raw(`('${prefix}' || lpad(to_hex(i), 7, '0') || '-0000-4000-8000-000000000000')::uuid`);
export const id = (prefix: string, i: number): string =>
  `${prefix}${i.toString(16).padStart(7, '0')}-0000-4000-8000-000000000000`;
export const asset = assetOf({ issuer: newAccount(), distribution: newAccount() });
export const subjectOf = (i: number): string => `GCUSTOMER${i % 5_000}`;

export interface HundredThousand {
  readonly database: Database;
  /** Runs in a database transaction that is given up, so that every statement meets the same rows. */
  tried(work: (trx: DatabaseTransaction) => Promise<unknown>): Promise<void>;
  /** @throws when one of them would read a large table from end to end */
  expectNoScan(statements: readonly Statement[]): Promise<void>;
  /** What PostgreSQL would do for a statement, each node of its plan. */
  planOf(statement: Statement): Promise<readonly PlanNode[]>;
  close(): Promise<void>;
}

/** A database with a hundred thousand rows of everything. */
export async function openHundredThousand(): Promise<HundredThousand> {
  const db = await createTestDatabase();
  const database = openDatabase({ url: db.url, applicationName: 'explain', statementTimeoutMs: 60_000 });
  await fill(database);
  return {
    database,
    tried: (work) => tried(database, work),
    expectNoScan: (statements) => connected(db.url, (client) => expectNoScan(client, statements)),
    planOf: (statement) => connected(db.url, (client) => planOf(client, statement)),
    close: async () => {
      await database.destroy();
      await db.drop();
    },
  };
}

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function fill(database: Database): Promise<void> {
  const { distributionAccount: account } = asset;
  const i = sql.raw(`generate_series(1, ${ROWS}) as i`);
  const balance = sql.raw(`'balance-' || i`);
  await sql`insert into transaction (id, kind, status, asset_id, subject, anchor_account, withdraw_memo,
      external_transaction_id, stellar_transaction_id, awaits_integration, started_at, updated_at, transfer_received_at)
    select ${uuid('a')}, case when i % 2 = 0 then 'deposit' else 'withdrawal' end,
      case when i % 200 = 0 then 'pending_external' when i % 200 = 1 then 'pending_anchor' else 'completed' end,
      ${asset.id}, 'GCUSTOMER' || i % 5000, case when i % 2 = 1 then ${account} end, case when i % 2 = 1 then i end,
      'bank-' || i, md5(i::text), i % 200 < 2, now() - i * interval '1 minute', now(), now() from ${i}`.execute(
    database,
  );
  await sql`insert into event (transaction_id, at, actor, to_status, reason)
    select ${uuid('a')}, now(), 'test', 'completed', 'made up' from ${i}`.execute(database);
  await sql`insert into transfer (id, key, transaction_id, purpose, state, reason, asset_id, source, destination, amount,
      operation, submission_id, next_attempt_at, created_at, settled_at)
    select ${uuid('b')}, 'payout:' || i, ${uuid('a')}, 'payout',
      case i % 200 when 0 then 'queued' when 1 then 'waiting' else 'settled' end,
      case when i % 200 = 1 then 'no_trustline' end, ${asset.id}, ${account}, 'GDEST' || i, 1,
      case when i % 100 = 50 then 'createAccount' else 'payment' end,
      case when i % 200 > 1 then ${uuid('c')} end, now() - interval '1 hour', now() - i * interval '1 minute',
      case when i % 200 > 1 then now() end from ${i}`.execute(database);
  await sql`insert into submission (id, hash, source, sequence, envelope, min_time, max_time, fee_bid_per_operation,
      operation_count, state, next_attempt_at, created_at)
    select ${uuid('c')}, md5(i::text), case when i % 200 = 0 then 'GSOURCE' || i else ${account} end, i, 'AAAA', 0, 1, 100, 1,
      case when i % 200 = 0 then 'pending' else 'succeeded' end, now() - interval '1 hour', now() from ${i}`.execute(
    database,
  );
  await sql`insert into attempt (submission_id, operation_index, transfer_id)
    select ${uuid('c')}, 0, ${uuid('b')} from ${i}`.execute(database);
  await sql`insert into receipt (id, account, transaction_hash, ledger, closed_at, from_account, asset_id, amount, memo_type,
      state, transaction_id)
    select i, ${account}, md5(i::text), i, now(), 'GFROM', ${asset.id}, 1, 'id',
      case when i % 200 = 0 then 'unmatched' else 'matched' end, case when i % 200 > 0 then ${uuid('a')} end
      from ${i}`.execute(database);
  await sql`insert into task (id, kind, key, transaction_id, payload, next_attempt_at, created_at, done_at)
    select ${uuid('d')}, (array['withdrawals/process', 'deposits/completed', 'callback'])[i % 3 + 1], 'task:' || i,
      ${uuid('a')}, '{"url": "https://wallet.example/", "host": "wallet.example", "version": 2}', now() - interval '1 hour', now(),
      case when i % 200 > 1 then now() end from ${i}`.execute(database);
  await sql`insert into used_token (id, expires_at)
    select 'token-' || i, now() + (i - 500) * interval '1 minute' from ${i}`.execute(database);
  await sql`insert into claimable_balance (id, transaction_id, account, asset_id, amount, state, created_at, reclaim_at)
    select ${balance}, ${uuid('a')}, ${account}, ${asset.id}, 1, case when i % 200 = 0 then 'open' else 'gone' end, now(),
      now() + (i - 10000) * interval '1 minute' from ${i}`.execute(database);
  await sql`insert into foreign_transaction (hash, account, source, sequence, ledger, closed_at, successful, memo_type,
      operations, seen_at, adopted_at)
    select md5(i::text), ${account}, ${account}, i, i, now(), true, 'none', jsonb_build_array(jsonb_build_object(
        'type', 'claimClaimableBalance', 'source', ${account}::text, 'balanceId', ${balance})),
      now(), case when i % 200 > 0 then now() end from ${i}`.execute(database);
  await sql`vacuum analyze`.execute(database);
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Outside a transaction: PostgreSQL may plan it once for whatever values come. */
  readonly isPrepared: boolean;
}

/** What goes to PostgreSQL while `work` runs, in whatever way it is made. */
export async function statementsOf(work: () => Promise<unknown>): Promise<Statement[]> {
  const seen: Statement[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- called with its own client below
  const original = pg.Client.prototype.query;
  const watch = function (this: pg.Client, ...given: unknown[]): unknown {
    const [asked] = given;
    if (typeof asked === 'string')
      seen.push({
        text: asked,
        values: Array.isArray(given[1]) ? given[1] : [],
        isPrepared: isPreparedByName(asked),
      });
    return Reflect.apply(original, this, given);
  };
  Object.assign(pg.Client.prototype, { query: watch });
  try {
    await work();
  } finally {
    Object.assign(pg.Client.prototype, { query: original });
  }
  return seen.filter(({ text }) => /^\s*(select|insert|update|delete|with)\b/i.test(text));
}

export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

async function planOf(client: pg.Client, { text, values }: Statement): Promise<readonly PlanNode[]> {
  return explain(client, `explain (format json) ${text}`, values);
}

async function explain(
  client: pg.Client,
  question: string,
  values: readonly unknown[],
): Promise<readonly PlanNode[]> {
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(question, [...values]);
  const nodes = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodes)];
  const [row] = rows;
  if (!row) throw new Error('explain answers one row');
  return nodes(row['QUERY PLAN'][0].Plan);
}

/** The large tables that a statement would read from end to end. */
async function scansOf(client: pg.Client, statement: Statement): Promise<string[]> {
  const plan = [...(await planOf(client, statement))];
  if (statement.isPrepared)
    plan.push(...(await explain(client, `explain (generic_plan, format json) ${statement.text}`, [])));
  return plan
    .filter((node) => node['Node Type'] === 'Seq Scan')
    .map((node) => node['Relation Name'] ?? '')
    .filter((table) => LARGE.has(table));
}

const LARGE = new Set([
  'transaction',
  'event',
  'transfer',
  'submission',
  'attempt',
  'receipt',
  'task',
  'used_token',
  'claimable_balance',
  'foreign_transaction',
]);

async function tried(
  database: Database,
  work: (trx: DatabaseTransaction) => Promise<unknown>,
): Promise<void> {
  const undone = new Error('undone');
  await database
    .transaction()
    .execute(async (trx) => {
      await work(trx);
      throw undone;
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error;
    });
}

async function expectNoScan(client: pg.Client, statements: readonly Statement[]): Promise<void> {
  const sizes = await client.query<{ relname: string; reltuples: number }>(
    `select relname, reltuples from pg_class where relkind = 'r' and relname = any($1)`,
    [[...LARGE]],
  );
  expect(sizes.rows.filter(({ reltuples }) => reltuples <= SMALL)).toEqual([]);
  for (const statement of statements) {
    const scans = await scansOf(client, statement);
    if (scans.length > 0) throw new Error(`${scans.join()} is read from end to end by: ${statement.text}`);
  }
}
