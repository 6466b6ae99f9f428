import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepCertificates } from '../../cli/dev/certificates.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import { callApi } from './api.ts';
import { AUDIT_POLICY, controllers, kubeconfigText, NODE, storage, USERS } from './components.ts';
import type { Component, Files, Ports, User } from './components.ts';
import { isAlive } from './lock.ts';

const START_WITHIN_MS = 60_000;
const WATCH_EVERY_MS = 500;

/** The kernel ends a component when this process is killed (util-linux). Elsewhere one would be left behind by `kill -9`. */
const ENDS_WITH_US = existsSync('/usr/bin/setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : [];

/** What the one who waits reads from `ready.json`. */
export interface ControlPlaneFacts {
  readonly folder: string;
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** Of a user who may do everything. */
  readonly kubeconfig: string;
  /** Token of the same user. */
  readonly token: string;
  readonly caFile: string;
  /** One JSON object a line (audit.k8s.io/v1 Event, Metadata), of everybody but the cluster's own components. */
  readonly auditLog: string;
  /** Folder with kubectl, helm and the components. */
  readonly binaries: string;
}

/**
 * Starts a control plane, says so in `ready.json` (or why not, in `failed.txt`), and ends everything, the folder
 * included, on SIGTERM or when `whilePid` is gone.
 */
export async function keepControlPlane(options: {
  readonly folder: string;
  readonly binaries: string;
  readonly whilePid: number;
}): Promise<void> {
  const { folder } = options;
  const children: ChildProcess[] = [];
  let isStopping = false;
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    // Nothing of it is kept, so there is nothing to put in order.
    await Promise.all(children.map(endNow));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => void stop());
  const watch = setInterval(() => {
    if (!isAlive(options.whilePid)) void stop();
  }, WATCH_EVERY_MS);

  const say = async (file: string, text: string): Promise<void> => {
    await writeFile(path.join(folder, `${file}.part`), text);
    await rename(path.join(folder, `${file}.part`), path.join(folder, file));
  };
  const fail = async (why: string): Promise<void> => {
    if (isStopping) return;
    clearInterval(watch);
    isStopping = true;
    await Promise.all(children.map(endNow));
    await say('failed.txt', why);
    process.exit(1);
  };
  const launch = ({ binary, args }: Component): void => {
    const log = createWriteStream(path.join(folder, `${binary}.log`));
    const command = [...ENDS_WITH_US, path.join(options.binaries, binary), ...args];
    const child = spawn('/usr/bin/env', command, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    children.push(child);
    child.once('error', (error) => void fail(`${binary} could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      void lastLines(folder, binary).then((lines) =>
        fail(`${binary} ended (${signal ?? code}); it said last:\n${lines}`),
      );
    });
  };
  try {
    await say('keeper.pid', String(process.pid));
    await say('ready.json', JSON.stringify(await start(options, launch)));
  } catch (error) {
    await fail(messageOf(error));
  }
}

async function start(
  { folder, binaries }: { readonly folder: string; readonly binaries: string },
  launch: (component: Component) => void,
): Promise<ControlPlaneFacts> {
  const [ports, certificates] = await Promise.all([
    freePorts(),
    keepCertificates(path.join(folder, 'pki'), ['127.0.0.1', 'localhost'], new Date()),
  ]);
  const url = `https://127.0.0.1:${ports.api}`;
  const files: Files = {
    ca: certificates.caFile,
    certificate: certificates.certificateFile,
    key: certificates.keyFile,
    serviceAccountKey: path.join(folder, 'service-account.key'),
    tokens: path.join(folder, 'tokens.csv'),
    auditPolicy: path.join(folder, 'audit-policy.yaml'),
    auditLog: path.join(folder, 'audit.log'),
    stages: path.join(folder, 'stages.yaml'),
  };
  const kubeconfig = (user: User): string => path.join(folder, `${user}.kubeconfig`);
  const token = await writeFiles(files, url, kubeconfig);
  for (const component of storage(folder, ports, files)) launch(component);
  const api = { url, token, caFile: files.ca };
  await until('the API server is ready', async () => (await callApi(api, 'GET', '/readyz')).status === 200);
  for (const component of controllers(ports, files, kubeconfig)) launch(component);
  await until('the node is registered', async () => {
    const { status } = await callApi(api, 'POST', '/api/v1/nodes', NODE);
    return status === 201 || status === 409;
  });
  await until('the node is ready', async () => {
    const { body } = await callApi(api, 'GET', `/api/v1/nodes/${NODE.metadata.name}`);
    return JSON.stringify(body).includes('"KubeletReady"');
  });
  await until('the controller manager works', async () => {
    const { status } = await callApi(api, 'GET', '/api/v1/namespaces/default/serviceaccounts/default');
    return status === 200;
  });
  const { ca: caFile, auditLog } = files;
  return { folder, url, kubeconfig: kubeconfig('admin'), token, caFile, auditLog, binaries };
}

/** Keys and tokens are made for this one run. Answers the administrator's token. */
async function writeFiles(files: Files, url: string, kubeconfig: (user: User) => string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const users = (Object.keys(USERS) as User[]).map((user) => ({
    user,
    token: randomBytes(24).toString('hex'),
  }));
  const ca = await readFile(files.ca, 'utf8');
  const lines = users.map(
    ({ user, token }) => `${token},${USERS[user].user},${USERS[user].user},"${USERS[user].group}"\n`,
  );
  const isSecret = { mode: 0o600 };
  await Promise.all([
    writeFile(files.serviceAccountKey, privateKey.export({ format: 'pem', type: 'sec1' }), isSecret),
    writeFile(files.tokens, lines.join(''), isSecret),
    writeFile(files.auditPolicy, AUDIT_POLICY),
    copyFile(fileURLToPath(new URL('stages.yaml', import.meta.url)), files.stages),
    ...users.map(({ user, token }) =>
      writeFile(kubeconfig(user), kubeconfigText({ server: url, ca, token }), isSecret),
    ),
  ]);
  return users.find(({ user }) => user === 'admin')?.token ?? '';
}

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + START_WITHIN_MS;
  while (!(await look().catch(() => false))) {
    if (Date.now() > end)
      throw new Error(`within ${START_WITHIN_MS / 1000} s it did not come to pass that ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
}

/** All are held at the same time, so that they differ. */
async function freePorts(): Promise<Ports> {
  const names = ['etcd', 'etcdPeer', 'api', 'controllerManager', 'scheduler', 'kwok'] as const;
  const held = await Promise.all(
    names.map(
      (name) =>
        new Promise<{ name: (typeof names)[number]; port: number; close: () => Promise<void> }>(
          (resolve, reject) => {
            const server = createServer();
            server.once('error', reject);
            server.listen(0, '127.0.0.1', () => {
              const address = server.address();
              const port = typeof address === 'object' && address ? address.port : 0;
              resolve({ name, port, close: () => new Promise((done) => void server.close(() => done())) });
            });
          },
        ),
    ),
  );
  await Promise.all(held.map(({ close }) => close()));
  return Object.fromEntries(held.map(({ name, port }) => [name, port])) as unknown as Ports;
}

async function endNow(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.removeAllListeners('exit');
  const gone = new Promise((resolve) => void child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function lastLines(folder: string, binary: string): Promise<string> {
  const text = await readFile(path.join(folder, `${binary}.log`), 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-3).join('\n');
}
