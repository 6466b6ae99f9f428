import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import type { Request } from 'autocannon';
import { openPremises, type Part, type Premises } from '../test/support/premises.ts';
import type { Signer } from '../core/keys/ed25519.ts';
import { fillHistory, someTransactions } from './history.ts';
import { load, type Load } from './load.ts';
import { machineRates } from './machine-rates.ts';
import { countOf, report, type Row } from './report.ts';
import { fundWallets, loginRequests, tokenOf } from './wallets.ts';

/**
 * `make bench ONLY=web`: one `capstan server` as in a cluster (plain HTTP behind an ingress, rate limits on but wide, the
 * access log written to a file), on PostgreSQL and the local ledger. These and the load run beside it on the same machine:
 * what counts is the answers per second of the server's own CPU time.
 */

/** More than the server's look-up cache keeps, so that each login asks the ledger. */
const WALLETS = countOf('WALLETS', 3_000);
const CUSTOMERS = 50;
const SECONDS = countOf('SECONDS', 6);
const ONLY = process.env['CELL'] ?? '';
const WIDE = { requests: 1_000_000, authentications: 1_000_000, interactive: 1_000_000 };
/** As for a Horizon of one's own. The default's 300 look-ups of wallets a second would be all that is measured. */
const OWN_HORIZON = 50_000;
const P99_MS = 25;

interface World {
  readonly premises: Premises;
  readonly server: Part;
  readonly url: string;
  readonly wallets: readonly Signer[];
  /** Tokens of the first wallets, by account. */
  readonly tokens: ReadonlyMap<string, string>;
}

const rows: Row[] = [];
const isWanted = (name: string): boolean => name.includes(ONLY);
await using premises = await openPremises({
  closeIntervalMs: 100,
  spec: { network: { name: 'local', requestsPerSecond: OWN_HORIZON }, server: { rateLimits: WIDE } },
  databaseSettings: ['shared_buffers=512MB', 'max_wal_size=4GB'],
});
const log = openSync(path.join(premises.folder, 'server.log'), 'w');
const profile = process.env['PROFILE'];
const server = await premises.start(
  'server',
  ['--http-port', '0', '--private-port', '0', '--host', '127.0.0.1', '--drain-delay', '0.1'],
  { outputFd: log, node: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`] },
);
const { port } = (server.ready as { addresses: { http: { port: number } } }).addresses.http;
const url = `http://127.0.0.1:${port}`;
const wallets = await fundWallets(premises.horizon, WALLETS);
const { passphrase } = premises.anchor.network;
const tokens = new Map<string, string>();
for (const wallet of wallets.slice(0, CUSTOMERS))
  tokens.set(wallet.account, await tokenOf(url, passphrase, wallet));
const world: World = { premises, server, url, wallets, tokens };

if (isWanted('SEP-10')) rows.push(...machineRates());
await small(world);
await histories(world);
await server.end('SIGTERM');
closeSync(log);
report('web', rows, { notes: { connections: 16, 'seconds a cell': SECONDS, wallets: WALLETS } });

async function cell(
  name: string,
  requests: readonly Request[],
  { atLeast, per = 1 }: { readonly atLeast?: number; readonly per?: number } = {},
): Promise<Load | undefined> {
  if (!isWanted(name)) return undefined;
  const measured = await load({ pid: world.server.pid, url: world.url, requests, seconds: SECONDS });
  rows.push({
    name,
    value: measured.perCpuSecond / per,
    unit: '/CPU-s',
    ...(atLeast !== undefined && { atLeast }),
  });
  rows.push({ name: `${name}: wall`, value: measured.perSecond / per, unit: '/s' });
  rows.push({ name: `${name}: p99`, value: measured.p99Ms, unit: 'ms', atMost: P99_MS });
  return measured;
}

/** Everything that does not depend on how much there is. */
async function small({ premises: { anchor }, tokens: known }: World): Promise<void> {
  const [asset] = anchor.assets;
  if (asset === undefined) throw new Error('the manifest has no asset');
  await fillHistory(premises.databaseUrl, { rows: 1_000, assetId: asset.id, subjects: [...known.keys()] });
  await cell('GET /sep24/info', [{ path: '/sep24/info' }], { atLeast: 5_000 });
  await cell('GET /.well-known/stellar.toml', [{ path: '/.well-known/stellar.toml' }], { atLeast: 5_000 });
  await cell('SEP-10 round trip (challenge, look-up, token)', loginRequests(passphrase, wallets), {
    atLeast: 1_000,
    per: 2,
  });
  const found = await someTransactions(premises.databaseUrl, 1_000);
  await cell(
    'GET /sep24/transaction',
    found.map(({ id, subject }) => get(`/sep24/transaction?id=${id}`, subject)),
    {
      atLeast: 2_500,
    },
  );
  await cell(
    'POST /sep24/transactions/deposit/interactive',
    [...known].map(([account]) => post(account)),
    {
      atLeast: 700,
    },
  );
}

/** The same page of a customer's history in a growing table. */
async function histories({ premises: { anchor }, tokens: known }: World): Promise<void> {
  const subjects = [...known.keys()];
  const [asset] = anchor.assets;
  const [asker = ''] = subjects;
  const figures: number[] = [];
  for (const count of [1_000, 100_000, 1_000_000]) {
    const name = `GET /sep24/transactions, ${count.toLocaleString('en')} rows`;
    if (!isWanted(name)) continue;
    await fillHistory(premises.databaseUrl, { rows: count, assetId: asset?.id ?? '', subjects });
    const measured = await cell(name, [get(`/sep24/transactions?asset_code=${asset?.code}`, asker)]);
    if (measured) figures.push(measured.perCpuSecond);
  }
  const [first, last] = [figures[0], figures.at(-1)];
  if (figures.length === 3 && first !== undefined && last !== undefined) {
    rows.push({
      name: 'GET /sep24/transactions, 1,000,000 rows against 1,000',
      value: last / first,
      unit: '1',
      atLeast: 0.8,
    });
  }
}

function get(requestPath: string, account: string): Request {
  return { method: 'GET', path: requestPath, headers: { authorization: `Bearer ${tokens.get(account)}` } };
}

function post(account: string): Request {
  return {
    method: 'POST',
    path: '/sep24/transactions/deposit/interactive',
    headers: {
      authorization: `Bearer ${tokens.get(account)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ asset_code: 'SRT', amount: '100', account, lang: 'en' }),
  };
}
