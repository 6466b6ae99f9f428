/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Keypair } from '@stellar/stellar-sdk';
import type { Loose } from '../../../core/spec/test-manifest.ts';
import { createIdempotencyStore, openDatabase, serveIntegration } from '../../../integration/sdk.ts';
import {
  execInPodProcess,
  mountPod,
  runPod,
  type Data,
  type PodProcess,
} from '../../../test/operator/pod-process.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { startTestLedger, type TestLedger } from '../../../test/support/ledger.ts';
import { simpleAnchor, type Harbour } from './harness.ts';

const PRIVATE = ['--private-port', '0', '--host', '127.0.0.1'];

/**
 * An Anchor whose faked pods have real processes beside them: ledger, database, integration, and, of its own Deployments,
 * what they mount and run.
 */
export class RealAnchor {
  readonly manifest: Loose;
  readonly database: TestDatabase;
  readonly seeds: Readonly<Record<string, string>>;
  private readonly harbour: Harbour;
  private readonly ledger: TestLedger;
  private readonly closing: (() => Promise<unknown>)[] = [];
  private readonly pods = new Map<string, PodProcess & { readonly root: string; readonly template: Loose }>();

  private constructor(
    harbour: Harbour,
    ledger: TestLedger,
    parts: Pick<RealAnchor, 'manifest' | 'database' | 'seeds'>,
  ) {
    this.harbour = harbour;
    this.ledger = ledger;
    this.manifest = parts.manifest;
    this.database = parts.database;
    this.seeds = parts.seeds;
  }

  static async open(harbour: Harbour, name: string): Promise<RealAnchor> {
    const ledger = await startTestLedger({ closeIntervalMs: 500 });
    const database = await createTestDatabase();
    const [distribution] = await ledger.accounts(1);
    if (!distribution) throw new Error('the ledger gave no account');
    const signing = Keypair.random();
    const manifest = await simpleAnchor(harbour, name);
    const { spec } = manifest;
    spec.network = { name: 'custom', passphrase: ledger.passphrase, horizon: [ledger.url] };
    spec.signingKey.account = signing.publicKey();
    const [asset] = spec.assets;
    delete asset.issuer;
    asset.code = 'native';
    asset.distribution.account = distribution.publicKey();
    // Most of its XLM goes into channel accounts.
    asset.deposit.max = '10';
    asset.withdrawal.max = '100';
    const seeds = { signing: signing.secret(), srt: distribution.secret() };
    await harbour.secret(`${name}-keys`, seeds);
    await harbour.secret(`${name}-db`, { url: database.url });
    return new RealAnchor(harbour, ledger, { manifest, database, seeds });
  }

  get name(): string {
    return this.manifest.metadata.name;
  }

  /** Starts the integration that the spec names; its key is the one that the operator makes. */
  async serveIntegration(): Promise<void> {
    const key = await eventually('the operator has made the key', async () => {
      const secret = await this.harbour.get('Secret', `${this.name}-hmac`);
      return secret && Buffer.from(secret.data.key, 'base64').toString();
    });
    const bank = openDatabase(':memory:');
    const served = await serveIntegration({
      name: 'bank',
      version: '1',
      key,
      port: this.integrationPort,
      host: '127.0.0.1',
      hooks: {
        'deposits/poll': () => ({ results: [] }),
        'withdrawals/process': () => ({ result: 'wait' }) as Loose,
      },
      store: createIdempotencyStore(bank),
      onCall: () => undefined,
    });
    this.closing.push(async () => {
      await served.close(100);
      bank.close();
    });
  }

  integrationPort = 0;

  /** Runs the process of a Deployment from what the API server has now, in place of the one that ran before. */
  async run(role: 'server' | 'watch-transactions'): Promise<PodProcess> {
    await this.end(role);
    const template = await eventually(
      `the Deployment of ${role} is there`,
      async () => (await this.harbour.get('Deployment', `${this.name}-${role}`))?.spec.template,
      30_000,
    );
    const root = await mkdtemp(path.join(tmpdir(), 'capstan-pod-'));
    this.closing.push(() => rm(root, { recursive: true, force: true }));
    await mountPod(root, template, await this.data());
    const pod = runPod(root, template, role === 'server' ? [...PRIVATE, '--http-port', '0'] : PRIVATE);
    this.pods.set(role, { ...pod, root, template });
    return pod;
  }

  /** Runs the server, and tells the operator where its private port is. */
  async runServer(): Promise<void> {
    const ready = (await (await this.run('server')).ready) as Loose;
    this.harbour.servers.set(this.name, `http://127.0.0.1:${ready.private.port}/internal/status`);
  }

  /** Starts a further command where a role runs, as an exec does. */
  exec(role: 'server' | 'watch-transactions', command: readonly string[]): ChildProcess {
    const pod = this.pods.get(role);
    if (!pod) throw new Error(`no ${role} runs`);
    return execInPodProcess(pod.root, pod.template, command);
  }

  /** Writes what the pod of a role mounts anew, as a kubelet does when it syncs the pod. */
  async remount(role: 'server' | 'watch-transactions'): Promise<void> {
    const pod = this.pods.get(role);
    if (pod) await mountPod(pod.root, pod.template, await this.data());
  }

  /**
   * Stands for the kubelet of the watcher's pods: a changed pod makes it sync the pod's volumes at once. (A real one does
   * so by itself after a minute or more; this one does not.)
   */
  keepMounted(): void {
    let seen = '';
    const stop = new AbortController();
    const loop = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const pods = await this.harbour.list('Pod');
        const now = pods
          .filter(({ metadata }) => metadata.name.startsWith(`${this.name}-watch-transactions-`))
          .map(({ metadata }) => JSON.stringify(metadata.annotations ?? {}))
          .join();
        if (now !== seen && seen !== '') await this.remount('watch-transactions');
        seen = now;
        await new Promise((resolve) => void setTimeout(resolve, 100));
      }
    };
    const running = loop();
    this.stopMounting = async () => {
      stop.abort();
      await running;
    };
  }

  /** From now on a changed pod changes no file. */
  stopMounting: () => Promise<void> = async () => undefined;

  /** What a role has printed so far. */
  output(role: 'server' | 'watch-transactions'): string {
    return this.pods.get(role)?.output() ?? '';
  }

  async end(role: string): Promise<void> {
    const pod = this.pods.get(role);
    pod?.child.kill('SIGKILL');
    await pod?.ended;
    this.pods.delete(role);
  }

  async close(): Promise<void> {
    await this.stopMounting();
    for (const role of this.pods.keys()) await this.end(role);
    for (const close of this.closing.splice(0)) await close();
    await this.database.drop();
    await this.ledger.close();
  }

  private async data(): Promise<Data> {
    const [secrets, configMaps] = [await this.harbour.list('Secret'), await this.harbour.list('ConfigMap')];
    const decode = (data: Loose): Record<string, string> =>
      Object.fromEntries(
        Object.entries(data ?? {}).map(([key, value]) => [
          key,
          Buffer.from(String(value), 'base64').toString(),
        ]),
      );
    return new Map<string, Record<string, string>>([
      ...secrets.map((one) => [`Secret/${one.metadata.name}`, decode(one.data)] as const),
      ...configMaps.map((one) => [`ConfigMap/${one.metadata.name}`, one.data ?? {}] as const),
    ]);
  }
}
