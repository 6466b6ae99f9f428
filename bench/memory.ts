import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../scripts/bundle.ts';
import { openPremises, type Part, type PremisesOptions } from '../test/support/premises.ts';
import { fillHistory } from './history.ts';
import { load } from './load.ts';
import { memoryOf } from './processes.ts';
import { countOf, report, type Row } from './report.ts';
import { fundWallets, loginRequests } from './wallets.ts';

/**
 * `make bench ONLY=memory`: what each process of an anchor holds (PSS: shared pages are divided among who shares them), as
 * in images: bundled, with the flags that images give Node. At rest after REST seconds; then while wallets log in.
 */
const REST_SECONDS = countOf('REST', 20);
const WIDE = { requests: 1_000_000, authentications: 1_000_000, interactive: 1_000_000 };
const LOOP = ['--loop', '--log-level', 'warn'];
const ROLES = {
  server: ['--http-port', '0', '--private-port', '0', '--host', '127.0.0.1', '--drain-delay', '0.1'],
  'watch-transactions': ['--private-port', '0', '--host', '127.0.0.1'],
  'poll-deposits': LOOP,
  'check-trustlines': LOOP,
} as const;

const rows: Row[] = [];
const common: PremisesOptions = {
  closeIntervalMs: 1_000,
  spec: {
    server: { rateLimits: WIDE },
    workers: { poll: { interval: '10s' }, trustlines: { interval: '60s' } },
  },
};
const built = fileURLToPath(new URL('../.build/bench-memory', import.meta.url));
await bundle(built);
await measure('bundled', { ...common, program: path.join(built, 'main.mjs') }, 384);
await measure('from the sources', common);
report('memory', rows, { notes: { 'seconds at rest': REST_SECONDS } });

async function measure(form: string, options: PremisesOptions, atMost?: number): Promise<void> {
  await using premises = await openPremises(options);
  const parts = new Map<string, Part>();
  for (const [role, args] of Object.entries(ROLES)) {
    parts.set(role, await premises.start(role, args, { node: ['--max-semi-space-size=4'] }));
  }
  await new Promise((resolve) => setTimeout(resolve, REST_SECONDS * 1_000));
  const atRest = [...parts].map(([role, { pid }]) => memoryOf({ role, pid }));
  for (const { role, pssMiB } of atRest) {
    rows.push({ name: `${role} at rest, ${form}`, value: pssMiB, unit: 'MiB PSS' });
  }
  rows.push({
    name: `all four at rest, ${form}`,
    value: atRest.reduce((sum, { pssMiB }) => sum + pssMiB, 0),
    unit: 'MiB PSS',
    ...(atMost !== undefined && { atMost }),
  });
  const server = parts.get('server');
  const [asset] = premises.anchor.assets;
  if (server === undefined || asset === undefined) throw new Error('no server, or no asset');
  const wallets = await fundWallets(premises.horizon, 200);
  await fillHistory(premises.databaseUrl, {
    rows: 1_000,
    assetId: asset.id,
    subjects: wallets.map(({ account }) => account),
  });
  const { port } = (server.ready as { addresses: { http: { port: number } } }).addresses.http;
  await load({
    pid: server.pid,
    url: `http://127.0.0.1:${port}`,
    requests: loginRequests(premises.anchor.network.passphrase, wallets),
  });
  for (const [role, { pid }] of parts) {
    const { pssMiB, peakMiB } = memoryOf({ role, pid });
    rows.push({ name: `${role} after logins, ${form}`, value: pssMiB, unit: 'MiB PSS' });
    rows.push({ name: `${role} at most, ${form}`, value: peakMiB, unit: 'MiB RSS' });
  }
}
