import path from 'node:path';
import { readFile, writeFile } from 'node:fs/promises';
import { Asset, Memo, Operation } from '@stellar/stellar-sdk/base';
import pg from 'pg';
import { parse, stringify } from 'yaml';
import { issuerSeedRef, SecretFolder } from '../cli/dev/keys.ts';
import { signerFromSeed, type Signer } from '../core/keys/ed25519.ts';
import { eventually } from '../test/support/eventually.ts';
import { openPremises, type Part, type Premises } from '../test/support/premises.ts';
import { createHolders, openBuilder, type Builder } from './holders.ts';
import { databaseCpuSeconds } from './ledger-window.ts';
import { cpuSecondsOf } from './processes.ts';
import { countOf, percentile, report, type Row } from './report.ts';

/**
 * `make bench ONLY=receipts`: a watcher that comes back after a downtime. The ledger holds a backlog of payments to the
 * anchor, each a transaction of its own, half of them for withdrawals that wait; one `capstan watch-transactions` records and matches them, its money
 * suspended, so that nothing but the recording is measured. Then again beside a million finished withdrawals and receipts. Then live, with the bank: from a
 * ledger's close to `withdrawals/process` answered.
 */
const PAYMENTS = countOf('PAYMENTS', 20_000);
const FINISHED = countOf('FINISHED', 1_000_000);
const LIVE = countOf('LIVE', 30);
const WITHDRAWALS = PAYMENTS / 2;
/** A ledger's worth, each from another account. */
const PAYERS = Math.min(1_000, PAYMENTS);

const rows: Row[] = [];
await using premises = await openPremises({
  closeIntervalMs: 1_000,
  databaseSettings: ['shared_buffers=512MB', 'max_wal_size=4GB'],
});
const database = new pg.Client({ connectionString: premises.databaseUrl });
// A failure of the bench ends the database before this session: the failure is what is to be seen.
database.on('error', () => undefined);
await database.connect();
const asset = premises.anchor.assets[0]!;
const builder = await openBuilder(premises);
const payers = await createHolders(premises, PAYERS);
await giveTokens(builder);
await payIn(builder);
await expectWithdrawals();
await setSuspended(premises, true);
const few = await catchUp('catching up');
await forget();
await fillFinished();
const many = await catchUp(`catching up beside ${FINISHED.toLocaleString('en')} finished`);
rows.push({ name: 'slower beside the finished', value: (1 - many / few) * 100, unit: '%', atMost: 20 });
await setSuspended(premises, false);
await live();
await builder.close();
await database.end();
report('receipts', rows, { notes: { payments: PAYMENTS, withdrawals: WITHDRAWALS, finished: FINISHED } });
process.exit(0);

async function giveTokens(by: Builder): Promise<void> {
  const seed = await new SecretFolder(path.join(premises.folder, 'secrets')).read(issuerSeedRef(asset.code));
  if (seed === undefined) throw new Error('the premises keep no issuer');
  const issuer = signerFromSeed(seed);
  for (let from = 0; from < payers.length; from += 100) {
    const operations = payers
      .slice(from, from + 100)
      .map(({ account }) => Operation.payment({ destination: account, asset: token(), amount: '100000' }));
    await by.apply([{ operations, signers: [issuer] }]);
  }
}

function token(): Asset {
  return new Asset(asset.code, asset.issuer);
}

function payment(payer: Signer, memo: number): Parameters<Builder['send']>[0][number] {
  const operation = Operation.payment({
    destination: asset.distributionAccount,
    asset: token(),
    amount: '100',
  });
  return { operations: [operation], signers: [payer], memo: Memo.id(String(memo)) };
}

/** Memos from 1; those above the number of withdrawals belong to none. */
async function payIn(by: Builder): Promise<void> {
  for (let sent = 0; sent < PAYMENTS; sent += payers.length) {
    // Matched and unmatched ones alternate, as they come in life.
    await by.send(
      payers.map((payer, index) => {
        const n = sent + index;
        return payment(payer, n % 2 === 0 ? n / 2 + 1 : WITHDRAWALS + n);
      }),
    );
  }
}

async function expectWithdrawals(): Promise<void> {
  await database.query(
    `insert into transaction (id, kind, status, asset_id, subject, amount_expected, amount_in, amount_out, amount_fee, anchor_account,
       withdraw_memo, started_at, updated_at)
     select gen_random_uuid(), 'withdrawal', 'pending_user_transfer_start', $1, 'G' || n, 100, 100, 99, 1, $2, n, now(), now()
     from generate_series(1, $3::int) as n`,
    [asset.id, asset.distributionAccount, WITHDRAWALS],
  );
  await database.query('vacuum analyze');
}

/** As before the catch-up. Events stay: nobody can delete them. */
async function forget(): Promise<void> {
  await database.query('truncate receipt, cursor, task');
  await database.query(
    `update transaction set status = 'pending_user_transfer_start', version = version + 1, transfer_received_at = null,
       stellar_transaction_id = null where kind = 'withdrawal'`,
  );
}

/** A million of each in half a minute: neither keys to other tables nor the disk are waited for. */
async function fillFinished(): Promise<void> {
  await database.query(`set session_replication_role = replica; set synchronous_commit = off`);
  await database.query(
    `insert into transaction (id, kind, status, version, asset_id, subject, amount_expected, amount_in, amount_out, amount_fee, anchor_account,
       withdraw_memo, transfer_received_at, stellar_transaction_id, started_at, updated_at, completed_at)
     select lpad(to_hex(n), 32, '0')::uuid, 'withdrawal', 'completed', 5, $1, 'G' || n % 100000, 100, 100, 99, 1, $2,
       1000000000 + n, now(), md5(n::text), now(), now(), now() from generate_series(1, $3::int) as n`,
    [asset.id, asset.distributionAccount, FINISHED],
  );
  await database.query(
    `insert into receipt (id, account, transaction_hash, ledger, closed_at, from_account, asset_id, amount, memo_type, memo,
       state, transaction_id)
     select n, $2, md5(n::text), 1, now(), 'G' || n % 100000, $1, 1000000000, 'id', 1000000000 + n, 'matched',
       lpad(to_hex(n), 32, '0')::uuid from generate_series(1, $3::int) as n`,
    [asset.id, asset.distributionAccount, FINISHED],
  );
  await database.query(`reset session_replication_role; reset synchronous_commit`);
  await database.query('vacuum analyze transaction, receipt');
}

async function setSuspended({ configFile }: Premises, suspended: boolean): Promise<void> {
  const config = parse(await readFile(configFile, 'utf8')) as { spec: { payments?: object } };
  config.spec.payments = { ...config.spec.payments, suspended, channels: 0 };
  await writeFile(configFile, stringify(config));
}

function startWatcher(): Promise<Part> {
  const profile = process.env['PROFILE'];
  return premises.start(
    'watch-transactions',
    ['--private-port', '0', '--host', '127.0.0.1', '--development'],
    { node: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`] },
  );
}

/** Receipts of the backlog a second, by the database's own clock. */
async function catchUp(name: string): Promise<number> {
  const watcher = await startWatcher();
  try {
    const seen = async (): Promise<{ count: number; atMs: number }> => {
      const { rows: found } = await database.query<{ count: string; at: Date }>(
        `select count(*) as count, clock_timestamp() as at from receipt where id > $1 and memo is not null`,
        // What the hot wallet was filled with came without a memo.
        [FINISHED],
      );
      return { count: Number(found[0]?.count), atMs: found[0]?.at.getTime() ?? 0 };
    };
    const first = await eventually(
      'it begins',
      async () => {
        const now = await seen();
        return now.count > 0 && now;
      },
      60_000,
    );
    const cpuBefore = await cpuOf(watcher);
    const last = await eventually(
      'the backlog is recorded',
      async () => {
        const now = await seen();
        return now.count >= PAYMENTS && now;
      },
      300_000,
    );
    const cpu = await cpuOf(watcher);
    const recorded = last.count - first.count;
    const rate = (recorded * 1_000) / (last.atMs - first.atMs);
    const { rows: matched } = await database.query<{ count: string }>(
      `select count(*) as count from transaction where kind = 'withdrawal' and status = 'pending_anchor'`,
    );
    if (Number(matched[0]?.count) !== WITHDRAWALS)
      throw new Error(`${matched[0]?.count} of ${WITHDRAWALS} withdrawals were matched`);
    rows.push(
      { name: `${name}: receipts`, value: rate, unit: '/s', atLeast: 3_000 },
      ...cpu.map(({ part, seconds }, index) => ({
        name: `${name}: CPU of ${part} a receipt`,
        value: ((seconds - (cpuBefore[index]?.seconds ?? 0)) * 1_000) / recorded,
        unit: 'ms',
      })),
    );
    return rate;
  } finally {
    await watcher.end('SIGTERM');
  }
}

/** Of the processes that a catch-up keeps busy; the ledger is not ours to make faster. */
async function cpuOf(watcher: Part): Promise<readonly { readonly part: string; readonly seconds: number }[]> {
  return [
    { part: 'the watcher', seconds: cpuSecondsOf(watcher.pid) },
    { part: 'PostgreSQL', seconds: await databaseCpuSeconds(database) },
    { part: 'the ledger', seconds: cpuSecondsOf(premises.ledgerPid) },
  ];
}

/** From the close of a ledger that holds a payment until the bank has answered `withdrawals/process` for it. */
async function live(): Promise<void> {
  await database.query('update task set done_at = now() where done_at is null');
  const watcher = await startWatcher();
  const latencies: number[] = [];
  try {
    for (let i = 0; i < LIVE; i++) {
      const memo = 900_000_000 + i;
      const payer = payers[i % payers.length]!;
      const { rows: made } = await database.query<{ id: string }>(
        `insert into transaction (id, kind, status, asset_id, subject, amount_expected, amount_in, amount_out, amount_fee,
           anchor_account, withdraw_memo, started_at, updated_at)
         values (gen_random_uuid(), 'withdrawal', 'pending_user_transfer_start', $1, $4, 100, 100, 99, 1, $2, $3, now(), now())
         returning id`,
        [asset.id, asset.distributionAccount, memo, payer.account],
      );
      await builder.send([payment(payer, memo)]);
      const closedAtMs = Date.now();
      const doneAtMs = await eventually(
        'the bank was asked',
        async () => {
          const { rows: task } = await database.query<{ done: Date }>(
            `select done_at as done from task where transaction_id = $1 and done_at is not null`,
            [made[0]?.id],
          );
          return task[0]?.done.getTime() ?? 0;
        },
        30_000,
      ).catch(async (error: unknown) => {
        const { rows: state } = await database.query(
          `select transaction.status, transaction.attention, receipt.state, receipt.reason, task.attempts, task.last_error from transaction
           left join receipt on receipt.memo = withdraw_memo::text left join task on task.transaction_id = transaction.id where transaction.id = $1`,
          [made[0]?.id],
        );
        throw new Error(`the bank was not asked: ${JSON.stringify(state)}`, { cause: error });
      });
      latencies.push(Math.max(0, doneAtMs - closedAtMs));
    }
  } finally {
    await watcher.end('SIGTERM');
  }
  // The first ones also wait for the start of the watcher.
  const settled = latencies.slice(Math.min(3, latencies.length - 1));
  rows.push(
    {
      name: `close to withdrawals/process answered, p50 of ${settled.length}`,
      value: percentile(settled, 50),
      unit: 'ms',
    },
    {
      name: `close to withdrawals/process answered, p95 of ${settled.length}`,
      value: percentile(settled, 95),
      unit: 'ms',
    },
  );
}
