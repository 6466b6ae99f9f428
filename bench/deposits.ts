import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { parse, stringify } from 'yaml';
import { openPremises, type Part, type Premises } from '../test/support/premises.ts';
import { eventually } from '../test/support/eventually.ts';
import type { Signer } from '../core/keys/ed25519.ts';
import { createHolders } from './holders.ts';
import { countsOf, requestsBetween, type Counts } from './ledger-window.ts';
import { countOf, report, type Row } from './report.ts';

/**
 * `make bench ONLY=deposits`: deposits whose money has arrived are paid by one `capstan watch-transactions` on PostgreSQL and
 * the local ledger, each in a process of its own. A cell is a close interval, a number of channels, and payments with or without a
 * memo of their own; each is measured over 20 ledgers after 3 of warm-up, with more waiting than can be paid in them. Every payment goes to
 * another customer, so that each destination has to be looked up.
 * CELLS picks cells by a part of their name: `CELLS="5 s, 10"`; PROFILE and PROFILE_LEDGER name folders for the CPU profiles of the watcher
 * and of the ledger, WATCHER_LOG a file.
 */
const WARM_UP = 3;
const LEDGERS = countOf('LEDGERS', 20);
const CELLS = (process.env['CELLS'] ?? '').split(';');
/** More than the look-ups that the watcher remembers at the highest rate. */
const HOLDERS = countOf('HOLDERS', 12_000);
const PROFILE_LEDGER = process.env['PROFILE_LEDGER'];
const BATCH = 100;
const LEDGER_OPERATIONS = 1_000;

interface Cell {
  readonly name: string;
  readonly closeMs: number;
  readonly channels: number;
  readonly memo: boolean;
  /** Payments that fit into a ledger. */
  readonly most: number;
}

interface World {
  readonly premises: Premises;
  readonly database: pg.Client;
  readonly holders: readonly Signer[];
}

const rows: Row[] = [];
const cells = allCells().filter(({ name }) => CELLS.some((part) => name.includes(part)));
for (const closeMs of [1_000, 5_000]) {
  const those = cells.filter((cell) => cell.closeMs === closeMs);
  if (those.length > 0) await atInterval(closeMs, those);
}
report('deposits', rows, {
  notes: { ledgers: LEDGERS, 'warm-up': WARM_UP, customers: HOLDERS, cells: process.env['CELLS'] ?? 'all' },
});
process.exit(0);

function allCells(): readonly Cell[] {
  const kinds = [
    ...[0, 1, 4, 10].flatMap((channels) => [
      { channels, memo: false },
      { channels, memo: true },
    ]),
    { channels: 100, memo: true },
  ];
  return [1_000, 5_000].flatMap((closeMs) =>
    kinds.map(({ channels, memo }) => ({
      name: `${closeMs / 1000} s, ${channels} channels, ${memo ? 'with' : 'no'} memo`,
      closeMs,
      channels,
      memo,
      most: Math.min(LEDGER_OPERATIONS, Math.max(1, channels) * (memo ? 1 : BATCH)),
    })),
  );
}

async function atInterval(closeMs: number, those: readonly Cell[]): Promise<void> {
  await using premises = await openPremises({
    closeIntervalMs: closeMs,
    // No limit of payouts: the demo's would suspend the asset. Nobody else asks this ledger.
    spec: { assets: [{ code: 'SRT', decimals: 2, deposit: { min: '1', max: '10000' } }] },
    databaseSettings: ['shared_buffers=512MB', 'max_wal_size=4GB'],
    ...(PROFILE_LEDGER !== undefined && {
      ledgerOptions: { node: ['--cpu-prof', `--cpu-prof-dir=${PROFILE_LEDGER}`] },
    }),
  });
  const database = new pg.Client({ connectionString: premises.databaseUrl });
  // A failure of the bench ends the database before this session: the failure is what is to be seen.
  database.on('error', () => undefined);
  await database.connect();
  const holders = await createHolders(premises, HOLDERS);
  for (const cell of those) rows.push(...(await measure({ premises, database, holders }, cell)));
  await database.end();
}

async function measure(world: World, cell: Cell): Promise<readonly Row[]> {
  const { premises, database } = world;
  const watcher = await startWatcher(premises, cell.channels);
  try {
    await channelsStand(premises, cell.channels);
    const before = await hotWallet(premises);
    await queueDeposits(world, cell, cell.most * (WARM_UP + LEDGERS + 6));
    const first = await firstLedger(database);
    const start = await countsAt(world, watcher, first + WARM_UP);
    const end = await countsAt(world, watcher, first + WARM_UP + LEDGERS);
    const untold = await database.query<{ count: string }>(
      `select count(*) as count from task where kind = 'deposits/completed' and done_at is null`,
    );
    await drain(database);
    const paid = await database.query<{ sum: string }>(
      `select coalesce(sum(amount), 0) as sum from transfer where state = 'settled' and key like $1`,
      [`%:${cell.name}:%`],
    );
    const spent = before - (await hotWallet(premises));
    if (spent !== BigInt(paid.rows[0]?.sum ?? 0))
      throw new Error(
        `${cell.name}: ${spent} stroops left the hot wallet, ${paid.rows[0]?.sum} were recorded`,
      );
    return [
      ...rowsOf(cell, await settledIn(database, first + WARM_UP), start, end),
      {
        name: `${cell.name}: paid, the bank not yet told`,
        value: Number(untold.rows[0]?.count),
        unit: 'payments',
      },
    ];
  } finally {
    await watcher.end();
  }
}

interface Watcher {
  readonly pid: number;
  readonly metrics: string;
  end(): Promise<void>;
}

async function startWatcher(premises: Premises, channels: number): Promise<Watcher> {
  const config = parse(await readFile(premises.configFile, 'utf8')) as { spec: { payments?: object } };
  config.spec.payments = { ...config.spec.payments, channels };
  await writeFile(premises.configFile, stringify(config));
  const log = openSync(process.env['WATCHER_LOG'] ?? path.join(premises.folder, 'watcher.log'), 'a');
  const profile = process.env['PROFILE'];
  const part: Part = await premises.start(
    'watch-transactions',
    ['--private-port', '0', '--host', '127.0.0.1', '--development'],
    { outputFd: log, node: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`] },
  );
  const { port } = (part.ready as { private: { port: number } }).private;
  return {
    pid: part.pid,
    metrics: `http://127.0.0.1:${port}/metrics`,
    end: async () => {
      await part.end('SIGTERM');
      closeSync(log);
    },
  };
}

interface SignerPage {
  readonly _embedded: { readonly records: readonly unknown[] };
}

async function channelsStand({ horizon, anchor }: Premises, wanted: number): Promise<void> {
  const url = `${horizon}/accounts?signer=${anchor.assets[0]?.distributionAccount}&limit=200`;
  await eventually(
    `there are ${wanted} channels`,
    async () => {
      const page = (await (await fetch(url)).json()) as SignerPage;
      // The distribution account signs for itself.
      return page._embedded.records.length - 1 === wanted;
    },
    180_000,
  );
}

/** What the distribution account holds of the asset, in stroops. */
async function hotWallet({ horizon, anchor }: Premises): Promise<bigint> {
  const [asset] = anchor.assets;
  const account = (await (await fetch(`${horizon}/accounts/${asset?.distributionAccount}`)).json()) as {
    balances: { asset_code?: string; balance: string }[];
  };
  const balance = account.balances.find((one) => one.asset_code === asset?.code)?.balance ?? '0';
  return BigInt(balance.replace('.', ''));
}

/** Deposits whose money has arrived, as the poller would leave them, all due at once. */
async function queueDeposits(
  { premises, database, holders }: World,
  cell: Cell,
  count: number,
): Promise<void> {
  const [asset] = premises.anchor.assets;
  const accounts = holders.map(({ account }) => account);
  await database.query(
    `with made as (
       insert into transaction (id, kind, status, version, asset_id, subject, amount_expected, amount_in, amount_out, amount_fee,
         destination, destination_memo_type, destination_memo, transfer_received_at, external_transaction_id,
         started_at, updated_at)
       select gen_random_uuid(), 'deposit', 'pending_anchor', 3, $1, holder, 1, 1, 1, 0, holder,
         case when $2::boolean then 'id' end, case when $2::boolean then n::text end, now(), $3 || ':' || n, now(), now()
       from (select n, ($4::text[])[1 + n % array_length($4::text[], 1)] as holder from generate_series(1, $5::int) as n) as wanted
       returning id, destination, destination_memo_type, destination_memo, external_transaction_id)
     insert into transfer (id, key, transaction_id, purpose, state, asset_id, source, destination, memo_type, memo, amount,
       next_attempt_at, created_at)
     select gen_random_uuid(), 'payout:' || external_transaction_id, id, 'payout', 'queued', $1, $6, destination,
       destination_memo_type, destination_memo, 10000000, clock_timestamp(), clock_timestamp() from made`,
    [asset?.id, cell.memo, cell.name, accounts, count, asset?.distributionAccount],
  );
  await database.query('analyze');
}

/** The ledger that holds the first payments of the cell. */
async function firstLedger(database: pg.Client): Promise<number> {
  const { rows: known } = await database.query<{ max: number | null }>('select max(ledger) from submission');
  return eventually(
    'something is paid',
    async () => {
      const { rows: found } = await database.query<{ min: number | null }>(
        'select min(ledger) from submission where ledger > $1',
        [known[0]?.max ?? 0],
      );
      return found[0]?.min ?? 0;
    },
    120_000,
  );
}

async function countsAt({ premises, database }: World, watcher: Watcher, ledger: number): Promise<Counts> {
  await eventually(
    `ledger ${ledger} has closed`,
    async () => {
      const state = (await (await fetch(`${premises.horizon}/control/state`)).json()) as {
        latest_ledger: number;
      };
      return state.latest_ledger >= ledger;
    },
    (WARM_UP + LEDGERS + 5) * 10_000,
  );
  return countsOf(watcher, database, premises);
}

/** What is left is given up, what is in flight settles, and the bank is told of all that is paid: the next cell begins with nothing to do. */
async function drain(database: pg.Client): Promise<void> {
  await eventually(
    'everything in flight is settled and told',
    async () => {
      await database.query(`update transfer set state = 'cancelled' where state = 'queued'`);
      const { rows: open } = await database.query(
        `select from submission where state = 'pending' union all select from task where done_at is null limit 1`,
      );
      return open.length === 0;
    },
    300_000,
  );
}

interface Settled {
  readonly payments: number;
  readonly submissions: number;
  /** Ledgers without a payment. */
  readonly empty: number;
}

/** In the measured ledgers, which follow `warm`. */
async function settledIn(database: pg.Client, warm: number): Promise<Settled> {
  const { rows: found } = await database.query<{ payments: string; submissions: string; ledgers: string }>(
    `select coalesce(sum(operation_count), 0) as payments, count(*) as submissions, count(distinct ledger) as ledgers
     from submission where state = 'succeeded' and ledger > $1 and ledger <= $2`,
    [warm, warm + LEDGERS],
  );
  return {
    payments: Number(found[0]?.payments ?? 0),
    submissions: Number(found[0]?.submissions ?? 0),
    empty: LEDGERS - Number(found[0]?.ledgers ?? 0),
  };
}

/** What issue 4 wants of a cell, in payments a ledger. */
function aimOf({ closeMs, channels, memo, most }: Cell): number | undefined {
  if (memo) return 0.95 * most;
  if (closeMs === 5_000 && channels === 0) return 95;
  if (closeMs === 5_000 && channels === 10) return 950;
  return closeMs === 1_000 && channels === 10 ? 700 : undefined;
}

function rowsOf(cell: Cell, settled: Settled, start: Counts, end: Counts): readonly Row[] {
  const { name, closeMs, memo, channels } = cell;
  const { payments, submissions, empty } = settled;
  const requests = requestsBetween(start, end);
  const lookUps = requests.get('account') ?? 0;
  const others = [...requests.values()].reduce((sum, count) => sum + count, 0) - lookUps;
  const aim = aimOf(cell);
  const each = (seconds: number): number => (seconds * 1000) / payments;
  console.error(
    `${name}: ${payments} payments in ${LEDGERS} ledgers (${empty} empty), ${submissions} transactions; requests ${JSON.stringify(Object.fromEntries(requests))}`,
  );
  return [
    {
      name: `${name}: a ledger`,
      value: payments / LEDGERS,
      unit: 'payments',
      ...(aim !== undefined && { atLeast: aim }),
    },
    {
      name: `${name}: a second`,
      value: (payments / LEDGERS) * (1000 / closeMs),
      unit: '/s',
    },
    {
      name: `${name}: requests a transaction, besides one look-up a payment`,
      value: (others + Math.max(0, lookUps - payments)) / submissions,
      unit: '1',
      ...(!memo && channels >= 4 && { atMost: 1.2 }),
    },
    {
      // Of the distribution account too, where it is not on the list of those that our key signs for.
      name: `${name}: look-ups a payment`,
      value: lookUps / payments,
      unit: '1',
    },
    {
      name: `${name}: CPU of the watcher a payment`,
      value: each(end.watcherCpuSeconds - start.watcherCpuSeconds),
      unit: 'ms',
    },
    {
      name: `${name}: CPU of PostgreSQL a payment`,
      value: each(end.databaseCpuSeconds - start.databaseCpuSeconds),
      unit: 'ms',
    },
    {
      name: `${name}: CPU of the ledger a payment`,
      value: each(end.ledgerCpuSeconds - start.ledgerCpuSeconds),
      unit: 'ms',
    },
    {
      name: `${name}: CPU of the bank a payment`,
      value: each(end.bankCpuSeconds - start.bankCpuSeconds),
      unit: 'ms',
    },
  ];
}
