/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { createIdempotencyStore, openDatabase, serveIntegration } from '../../integration/sdk.ts';
import { testAnchor, type Loose } from '../../core/spec/test-manifest.ts';
import { LATEST_MIGRATION } from '../../core/database/migrations/names.ts';
import { readAnchorStatus, type AnchorStatus } from '../../core/status/document.ts';
import { configMap } from '../../operator/resources/config.ts';
import { generatedSecrets } from '../../operator/resources/secrets.ts';
import { contextOf, podsOf } from '../../operator/resources/testing/context.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLedger, type TestLedger } from '../support/ledger.ts';
import { mountPod, runPod, type Data, type PodProcess } from './pod-process.ts';

// What the operator mounts is what the processes start from: the pods of an Anchor run here as processes, each with only the
// files, arguments and variables that its pod has.

let ledger: TestLedger;
let db: TestDatabase;
let root: string;
const running: PodProcess[] = [];
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  ledger = await startTestLedger({ closeIntervalMs: 500 });
  db = await createTestDatabase({ isEmpty: true });
});
afterEach(async () => {
  for (const one of running.splice(0)) {
    one.child.kill('SIGKILL');
    await one.ended;
  }
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await db.drop();
  await ledger.close();
});

interface Namespace {
  readonly manifest: Loose;
  readonly data: Map<string, Record<string, string>>;
}

/** An Anchor on the test's ledger, and the Secrets of its namespace. */
async function namespaceOf(): Promise<Namespace> {
  const [distribution] = await ledger.accounts(1);
  const signing = Keypair.random();
  const manifest = testAnchor();
  manifest.spec.network = { name: 'custom', passphrase: ledger.passphrase, horizon: [ledger.url] };
  manifest.spec.signingKey.account = signing.publicKey();
  manifest.spec.assets[0].distribution.account = distribution!.publicKey();
  const data = new Map<string, Record<string, string>>([
    ['Secret/harbor-keys', { signing: signing.secret(), srt: distribution!.secret() }],
    ['Secret/harbor-db', { url: db.url }],
  ]);
  const context = contextOf(manifest);
  for (const { name, create } of generatedSecrets(context))
    data.set(`Secret/${name}`, (create((count) => randomBytes(count)) as Loose).stringData);
  const bank = openDatabase(':memory:');
  const served = await serveIntegration({
    name: 'bank',
    version: '1',
    key: data.get('Secret/harbor-hmac')!['key']!,
    port: 0,
    host: '127.0.0.1',
    hooks: { 'deposits/poll': () => ({ results: [] }) },
    store: createIdempotencyStore(bank),
    onCall: () => undefined,
  });
  closing.push(async () => {
    await served.close(100);
    bank.close();
  });
  manifest.spec.integration = { url: `http://127.0.0.1:${served.port}` };
  return { manifest, data };
}

/** Runs the pod of a component from what it mounts. */
async function run(
  component: string,
  { manifest, data }: Namespace,
  extra: readonly string[],
): Promise<PodProcess> {
  root = await mkdtemp(path.join(tmpdir(), 'capstan-pod-'));
  const folder = root;
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const context = contextOf(manifest);
  const all: Data = new Map([...data, ['ConfigMap/harbor-config', configMap(context).data!]]);
  const { template } = podsOf(context).find(
    (pod) => pod.template.metadata!.labels!['app.kubernetes.io/component'] === component,
  )!;
  await mountPod(root, template, all);
  const started = runPod(root, template, extra);
  running.push(started);
  return started;
}

const PRIVATE = ['--private-port', '0', '--host', '127.0.0.1'];
const get = async (port: number, where: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${where}`);

const statusOf = async (server: Loose): Promise<AnchorStatus> =>
  readAnchorStatus(await (await get(server.private.port, '/internal/status')).json());

test('migrate, server, watcher and workers run from exactly what their pods mount', async () => {
  const harbor = await namespaceOf();
  const migrate = await run('migrate', harbor, []);
  expect([await migrate.ended, migrate.output()]).toEqual([0, expect.any(String)]);

  const server = (await (await run('server', harbor, [...PRIVATE, '--http-port', '0'])).ready) as Loose;
  expect((await get(server.private.port, '/health/ready')).status).toBe(200);
  expect((await get(server.addresses.http.port, '/health/live')).status).toBe(200);
  expect((await get(server.addresses.http.port, '/.well-known/stellar.toml')).status).toBe(200);

  const watcher = (await (await run('watcher', harbor, PRIVATE)).ready) as Loose;
  expect((await get(watcher.private.port, '/health/ready')).status).toBe(200);

  // A watcher that starts makes its channels: that submission is in flight until the ledger has closed.
  const status = await eventually('the watcher has reported, and its channels are made', async () => {
    const read = await statusOf(server);
    return read.watcher && read.preflight && read.money?.submissionsPending === 0 ? read : undefined;
  });
  expect(status).toMatchObject({
    anchor: 'harbor',
    ready: { ok: true },
    schema: { found: LATEST_MIGRATION, needed: LATEST_MIGRATION },
    money: { transfersOpen: 0 },
  });
  expect(status.keys?.checks.map(({ purpose, ok }) => [purpose, ok])).toEqual([
    ['signing', true],
    ['session', true],
    ['integration', true],
    ['distribution', true],
  ]);
  expect(status.preflight?.assets[0]?.problems.map(({ code }) => code)).toEqual(['trustline_missing']);
  const text = JSON.stringify(status);
  for (const values of harbor.data.values())
    for (const value of Object.values(values)) expect(text).not.toContain(value);

  for (const role of ['poll', 'trustlines']) {
    const worker = await run(role, harbor, ['--once']);
    expect([role, await worker.ended, worker.output()]).toEqual([role, 0, expect.any(String)]);
  }
}, 240_000);

test.each([
  [
    'of another account',
    'wrong_account',
    (secret: Record<string, string>) => (secret['srt'] = Keypair.random().secret()),
  ],
  ['missing', 'missing', (secret: Record<string, string>) => delete secret['srt']],
])(
  'a distribution seed that is %s ends the watcher with the key named and no value, and the server runs',
  async (_, code, spoil) => {
    const harbor = await namespaceOf();
    await (
      await run('migrate', harbor, [])
    ).ended;
    const keys = harbor.data.get('Secret/harbor-keys')!;
    spoil(keys);
    const watcher = await run('watcher', harbor, PRIVATE);
    expect(await watcher.ended).toBe(78);
    expect(watcher.output()).toContain('Secret harbor-keys, key srt: ');
    for (const value of Object.values(keys)) expect(watcher.output()).not.toContain(value);
    const server = await run('server', harbor, [...PRIVATE, '--http-port', '0']);
    const { keys: told } = await statusOf((await server.ready) as Loose);
    expect(told?.checks.filter(({ ok }) => !ok)).toMatchObject([
      { purpose: 'distribution', secret: 'harbor-keys', key: 'srt', problem: { code } },
    ]);
  },
  240_000,
);
