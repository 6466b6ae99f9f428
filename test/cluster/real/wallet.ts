import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOCAL_PASSPHRASE } from '../../../core/spec/networks.ts';
import { run } from '../../../scripts/image/run.ts';
import type { Step } from './depositor.ts';
import { authorityFile, serviceAddress, type RealAnchor } from './fixtures.ts';

const WALLET = fileURLToPath(new URL('../../../examples/wallet/main.ts', import.meta.url));
const DEPOSITOR = fileURLToPath(new URL('depositor.ts', import.meta.url));

/** What `examples/wallet/main.ts --json` tells. */
export interface WalletReport {
  readonly deposit: { readonly status: string; readonly amount_in: string; readonly amount_out: string };
  readonly withdrawal: { readonly status: string; readonly amount_in: string; readonly amount_out: string };
  readonly seconds: number;
  readonly secondsToDeposit: number;
}

/**
 * A customer's wallet with a new account deposits 100 and withdraws what came: over HTTPS by the anchor's own host name,
 * trusting the authority that cert-manager signs with. The name is known to this one process alone, by a hosts file of its own.
 */
export async function depositAndWithdraw(anchor: RealAnchor): Promise<WalletReport> {
  const visit = await prepareVisit(anchor);
  const flags = ['--json', '--home-domain', anchor.host, '--horizon', visit.horizon];
  try {
    const args = [WALLET, ...flags, '--passphrase', LOCAL_PASSPHRASE, '--bank', visit.bank];
    return JSON.parse(await run('unshare', [...visit.unshared, ...args], { env: visit.env })) as WalletReport;
  } finally {
    visit.close();
  }
}

/** A customer who has paid 100 at the bank and is not paid out yet, because the wallet has no trustline. */
export interface Depositor {
  readonly account: string;
  /** Of the transaction. */
  readonly id: string;
  /** Adds the trustline; resolves when the anchor says that the deposit is completed. */
  complete(): Promise<void>;
  close(): void;
}

/** Brings a customer to where their money is in flight. */
export async function startDeposit(anchor: RealAnchor): Promise<Depositor> {
  const visit = await prepareVisit(anchor);
  const child = spawn(
    'unshare',
    [...visit.unshared, DEPOSITOR, anchor.host, visit.horizon, LOCAL_PASSPHRASE, visit.bank],
    {
      env: { ...process.env, ...visit.env },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    },
  );
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const stepOf = (name: Step['step']): Promise<Step> =>
    new Promise((resolve, reject) => {
      child.on('message', (step: Step) => step.step === name && resolve(step));
      child.once('exit', (code) => code !== 0 && reject(new Error(`the wallet ended with ${code}: ${said}`)));
    });
  const close = (): void => {
    child.kill('SIGKILL');
    visit.close();
  };
  const paid = await stepOf('paid').catch((error: unknown) => {
    close();
    throw error;
  });
  if (paid.step !== 'paid') throw new Error(`a wallet that has paid says ${paid.step}`);
  const { account, id } = paid;
  return {
    account,
    id,
    async complete() {
      const completed = stepOf('completed');
      child.send('trust');
      await completed;
    },
    close,
  };
}

interface Visit {
  /** Arguments of `unshare`, which runs the script that is put behind them. */
  readonly unshared: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly horizon: string;
  readonly bank: string;
  close(): void;
}

/** Wallets speak plain HTTP to their own machine only, and so do people who try it out: by kubectl's tunnel. */
async function prepareVisit(anchor: RealAnchor): Promise<Visit> {
  const [authority, server] = await Promise.all([
    authorityFile(anchor),
    serviceAddress(anchor, 'harbor-server'),
  ]);
  const hosts = path.join(anchor.folder, 'hosts');
  await writeFile(hosts, `127.0.0.1 localhost\n${server} ${anchor.host}\n`);
  const ledger = await forward(anchor, 'service/ledger', 8000);
  const bank = await forward(anchor, 'service/harbor-integration', 8080);
  const bind = `mount --bind "${hosts}" /etc/hosts && exec "$@"`;
  return {
    unshared: ['--mount', 'sh', '-c', bind, 'sh', process.execPath, '--no-warnings'],
    env: { NODE_EXTRA_CA_CERTS: authority },
    horizon: ledger.url,
    bank: bank.url,
    close() {
      ledger.close();
      bank.close();
    },
  };
}

export interface Forwarded {
  readonly url: string;
  readonly close: () => void;
}

/** `kubectl port-forward` to a free port of this machine. */
export async function forward(
  { cluster, namespace }: Pick<RealAnchor, 'cluster' | 'namespace'>,
  what: string,
  port: number,
): Promise<Forwarded> {
  const child = spawn(
    path.join(cluster.binaries, 'kubectl'),
    ['--namespace', namespace, 'port-forward', what, `:${port}`],
    { env: { ...process.env, KUBECONFIG: cluster.kubeconfig }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      said += chunk.toString();
      const [, local] = /127\.0\.0\.1:(\d+) ->/.exec(said) ?? [];
      if (local !== undefined) resolve(`http://127.0.0.1:${local}`);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => reject(new Error(`kubectl port-forward ${what} ended: ${said}`)));
  });
  return { url, close: () => void child.kill('SIGTERM') };
}
