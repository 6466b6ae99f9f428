/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { sharedControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { installCrd } from '../../test/cluster/install.ts';
import { eventually } from '../../test/support/eventually.ts';
import { Harbour, simpleAnchor } from './testing/harness.ts';

// `capstan operator` as the chart runs it: two processes, of which one leads.

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
let cluster: ControlPlane;
let harbour: Harbour;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  cluster = await sharedControlPlane();
  await installCrd(cluster);
  harbour = await Harbour.open(cluster, 'command');
}, 900_000);
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});
afterAll(async () => harbour?.close(), 60_000);

interface Process {
  readonly child: ChildProcess;
  readonly said: Loose[];
  readonly ended: Promise<number | null>;
  readonly output: () => string;
}

function start(...flags: readonly string[]): Process {
  const args = ['operator', '--image', 'capstan:1', '--kubeconfig', cluster.kubeconfig];
  const more = ['--namespaces', harbour.name, '--lease-namespace', harbour.name, '--private-port', '0'];
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, ...args, ...more, '--host', '127.0.0.1', ...flags],
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  running.add(child);
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (printed += String(chunk)));
  const said: Loose[] = [];
  child.on('message', (message: Loose) => said.push(message.ready));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, said, ended, output: () => printed };
}

const leads = ({ said, output }: Process): Promise<unknown> =>
  eventually(`it leads: ${output()}`, () => said.some((one) => one?.leads === true), 60_000);
const get = async ({ said }: Process, path: string): Promise<Response> => {
  const { private: address } = said.find((one) => one?.private !== undefined);
  return fetch(`http://127.0.0.1:${address.port}${path}`);
};

test('one process leads and reconciles; asked to stop it hands over at once, and the next one goes on', async () => {
  const first = start();
  await leads(first);
  const standby = start();
  await eventually(
    'the standby is warm',
    async () => standby.said.length > 0 && (await get(standby, '/health/ready')).status === 200,
    60_000,
  );
  await harbour.apply(await simpleAnchor(harbour, 'harbor'));
  await harbour.condition('harbor', 'ServerReady', 'Available');
  expect(await (await get(first, '/metrics')).text()).toMatch(/anchor_ready\{[^}]*name="harbor"[^}]*\} 0/);
  expect(await (await get(standby, '/metrics')).text()).toMatch(/leader_election_master_status\{[^}]*\} 0/);
  expect(standby.said).not.toContainEqual({ leads: true });

  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  await leads(standby);
  await harbour.api('DELETE', harbour.path('Service', 'harbor-server'));
  await eventually('it is put back', () => harbour.get('Service', 'harbor-server'), 30_000);
  standby.child.kill('SIGTERM');
  expect(await standby.ended).toBe(0);
}, 240_000);

test('flags that make no sense are told before anything is asked', async () => {
  const bad = start('--operator-pods', '{"pods":1}');
  expect(await bad.ended).toBe(1);
  expect(bad.output()).toContain('Give JSON: {"namespaceLabels"');
}, 60_000);
