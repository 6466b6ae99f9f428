import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { newKeys, writeAnchorFiles, type Keys } from './anchor-files.ts';
import { startBankProxy, type BankProxy } from './bank-proxy.ts';
import { startCallbackReceiver, type CallbackReceiver } from './callback-receiver.ts';
import { Child } from './child.ts';
import { Crew } from './crew.ts';
import { assetsOf, fundAccounts, type AnchorAssets } from './funding.ts';
import { Postgres } from './postgres.ts';
import { Keypair, type Stellar } from './stellar.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const MAIN = fileURLToPath(new URL('../..', import.meta.url));

export interface Customer {
  readonly keypair: Keypair;
  /** What the account does on the ledger, one after the other: its sequence numbers are one row. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/** Everything that runs, real but for the network: the anchor's processes, PostgreSQL, the ledger, the bank, the wallets. */
export interface World {
  readonly folder: string;
  readonly postgres: Postgres;
  readonly ledger: LedgerControl;
  readonly stellar: Stellar;
  readonly bank: {
    readonly child: Child;
    readonly proxy: BankProxy;
    readonly book: string;
    port(): number | undefined;
  };
  readonly crew: Crew;
  readonly balancer: TcpProxy;
  readonly keys: Keys;
  readonly assets: AnchorAssets;
  readonly customers: readonly Customer[];
  readonly callbacks: CallbackReceiver;
  close(): Promise<void>;
}

export interface LedgerControl {
  readonly url: string;
  readonly secondUrl: string;
  /** See ledger/README.md, "Making it misbehave". */
  misbehave(change: Readonly<Record<string, unknown>>): Promise<void>;
  /** How often a fault of that name has hit something so far. */
  met(name: string): Promise<number>;
}

export interface WorldOptions {
  /** The source tree that is put to the test; default: this one. */
  readonly tree?: string;
  readonly customers: number;
  readonly onStep: (step: string) => void;
  /** Called at once with what ends all that was started so far: a signal may come at any moment. */
  readonly onOpening?: (close: () => Promise<void>) => void;
}

interface LedgerReady extends Stellar {
  readonly secondUrl: string;
  readonly rootSecret: string;
}

/** Starts it all; `close()` ends it all and removes its folder. What was started is ended also when a later step fails. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { tree = MAIN, customers: count, onStep } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'capstan-sim-'));
  // As root, PostgreSQL runs as another user, who has to get here.
  chmodSync(folder, 0o755);
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).toReversed()) await step().catch(() => undefined);
  };
  options.onOpening?.(close);
  try {
    return { ...(await start(folder, tree, count, closing, onStep)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  folder: string,
  tree: string,
  count: number,
  closing: (() => Promise<unknown>)[],
  onStep: (step: string) => void,
): Promise<Omit<World, 'close'>> {
  const keys = newKeys();
  const ledgerChild = new Child({
    name: 'ledger',
    args: [path.join(MAIN, 'test/faults/processes/ledger.ts')],
    cwd: MAIN,
    logFile: path.join(folder, 'ledger.log'),
  });
  closing.push(() => ledgerChild.stop());
  const ledger = (await ledgerChild.start()) as LedgerReady;
  onStep('the ledger runs');
  const postgres = await Postgres.start({
    folder: path.join(folder, 'database'),
    main: MAIN,
    logFile: path.join(folder, 'postgresql.log'),
  });
  closing.push(() => postgres.close());
  onStep('PostgreSQL runs');
  const bank = await startBank(folder, keys, closing);
  const balancer = await startTcpProxy();
  closing.push(() => balancer.close());
  const callbacks = await startCallbackReceiver(keys.signing);
  closing.push(() => callbacks.close());
  const files = await writeAnchorFiles(folder, keys, {
    databaseUrl: postgres.url,
    horizon: [ledger.url, ledger.secondUrl],
    passphrase: ledger.passphrase,
    bankUrl: bank.proxy.url,
  });
  const crew = new Crew({ tree, main: MAIN, folder, files, balancer });
  closing.push(() => crew.stop());
  const customers = Array.from({ length: count }, () => customerOf(Keypair.random()));
  await Promise.all([
    crew.run('migrate'),
    fundAccounts(
      ledger,
      keys,
      customers.map(({ keypair }) => keypair),
    ),
  ]);
  onStep('the schema and the accounts are made');
  await crew.start();
  onStep('the processes of the anchor run');
  return {
    folder,
    postgres,
    ledger: controlOf(ledger),
    stellar: ledger,
    bank,
    crew,
    balancer,
    keys,
    assets: assetsOf(keys),
    customers,
    callbacks,
  };
}

async function startBank(
  folder: string,
  keys: Keys,
  closing: (() => Promise<unknown>)[],
): Promise<World['bank']> {
  const proxy = await startBankProxy();
  closing.push(() => proxy.close());
  const book = path.join(folder, 'bank.sqlite');
  let port: number | undefined;
  const setPort = (next: number | undefined): void => {
    port = next;
    proxy.setTarget(next);
  };
  const child = new Child({
    name: 'bank',
    args: [path.join(MAIN, 'test/faults/processes/bank.ts')],
    env: { BANK_BOOK: book, CAPSTAN_INTEGRATION_KEY: keys.integration },
    cwd: MAIN,
    logFile: path.join(folder, 'bank.log'),
    onReady: (ready) => setPort((ready as { port: number }).port),
    onDown: () => setPort(undefined),
  });
  closing.push(() => child.stop());
  await child.start();
  return { child, proxy, book, port: () => port };
}

function controlOf({ url, secondUrl }: LedgerReady): LedgerControl {
  return {
    url,
    secondUrl,
    misbehave: async (change) => {
      const answer = await fetch(`${url}/control/misbehave`, {
        method: 'POST',
        body: JSON.stringify(change),
      });
      if (!answer.ok) throw new Error(`the ledger does not misbehave: ${await answer.text()}`);
    },
    met: async (name) => {
      const answer = await fetch(`${url}/control/state`);
      const { met } = (await answer.json()) as { met: Readonly<Record<string, number>> };
      return met[name] ?? 0;
    },
  };
}

export function customerOf(keypair: Keypair): Customer {
  let last: Promise<unknown> = Promise.resolve();
  return {
    keypair,
    inTurn: (work) => {
      const done = last.then(work);
      last = done.catch(() => undefined);
      return done;
    },
  };
}
