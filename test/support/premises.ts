import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { prepareAccounts } from '../../cli/dev/accounts.ts';
import {
  DATABASE_REF,
  INTEGRATION_REF,
  keepDevelopmentKeys,
  newIntegrationKey,
  newSessionKey,
  SecretFolder,
  SESSION_REF,
} from '../../cli/dev/keys.ts';
import { renderForLocal } from '../../cli/dev/render.ts';
import { startEmbeddedDatabase } from '../../core/database/embedded.ts';
import { migrate } from '../../core/database/migrate.ts';
import { freePort } from '../../core/runtime/free-port.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { completeForDevelopment, developmentNeeds } from '../../core/spec/development.ts';
import { checkManifest, parseManifest, soleAnchor, type ParsedManifest } from '../../core/spec/manifest.ts';
import { resolveAnchor } from '../../core/spec/resolve.ts';
import { eventually } from './eventually.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = path.join(ROOT, 'cli/main.ts');
/** Our own processes end when the one that started them is gone; a stranger's has to be taught. */
const ENDS_WITH_US =
  'data:text/javascript,process.once("disconnect",()=>process.exit(1));process.channel?.unref()';
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];

/** One process, started and ended by the test or bench itself. */
export interface Part {
  readonly pid: number;
  /** What it said when it was ready; undefined for one that says nothing. */
  readonly ready: unknown;
  /** How it ended: its exit code, or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly output: () => string;
  /** Sends a signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

export interface PartOptions {
  /** Flags of Node, e.g. `--import=…`. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Resolve when it is spawned, not when it says that it is ready. */
  readonly isSilent?: boolean;
  /** Its output goes into this file; default: kept in memory. */
  readonly outputFd?: number;
}

/** An anchor's surroundings: database, ledger and bank run; its own processes are started by the caller, one by one. */
export interface Premises extends AsyncDisposable {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly horizon: string;
  readonly bank: string;
  readonly anchor: Anchor;
  readonly configFile: string;
  /** Starts `capstan ROLE` on this anchor's configuration. */
  start(role: string, args?: readonly string[], options?: PartOptions): Promise<Part>;
  /** Ends the bank as a power cut does, and starts it again on the same port and books. */
  restartBank(): Promise<void>;
  readonly bankPart: () => Part;
  readonly ledgerPid: number;
}

export interface PremisesOptions {
  readonly closeIntervalMs: number;
  /** Replaces fields of the demo manifest's spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly databaseSettings?: readonly string[];
  readonly bankEnv?: Readonly<Record<string, string>>;
  readonly bankOptions?: Pick<PartOptions, 'node'>;
  readonly ledgerOptions?: Pick<PartOptions, 'node'>;
  /** The file that is run as `capstan`; default: the sources. */
  readonly program?: string;
}

/** Everything in a new folder below the system's temporary one; the disposal ends and removes all of it. */
export async function openPremises(options: PremisesOptions): Promise<Premises> {
  const folder = mkdtempSync(path.join(tmpdir(), 'capstan-premises-'));
  // As root, PostgreSQL runs as another user, who has to get here.
  chmodSync(folder, 0o755);
  const secrets = new SecretFolder(path.join(folder, 'secrets'));
  const parts: Part[] = [];
  const started = async (args: readonly string[], more: PartOptions = {}): Promise<Part> => {
    const part = await startPart(args, more);
    parts.push(part);
    return part;
  };
  const database = await startEmbeddedDatabase({
    folder: path.join(folder, 'database'),
    settings: options.databaseSettings ?? [],
  });
  const close = async (): Promise<void> => {
    await Promise.all(parts.map((part) => part.end('SIGKILL')));
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await migrate(database.url);
    await secrets.write(DATABASE_REF, database.url);
    await secrets.keep(SESSION_REF, newSessionKey);
    const key = await secrets.keep(INTEGRATION_REF, newIntegrationKey);
    const interval = String(options.closeIntervalMs / 1000);
    const ledgerArgs = [MAIN, 'ledger', '--port', '0', '--close-interval', interval];
    const ledger = await started(ledgerArgs, options.ledgerOptions);
    const horizon = (ledger.ready as { url: string }).url;
    const port = await freePort();
    const bank = `http://127.0.0.1:${port}`;
    const openBank = async (): Promise<Part> => {
      const part = await started([path.join(ROOT, 'examples/bank/bank.ts')], {
        node: [`--import=${ENDS_WITH_US}`, ...(options.bankOptions?.node ?? [])],
        isSilent: true,
        env: {
          HOST: '127.0.0.1',
          PORT: String(port),
          CAPSTAN_INTEGRATION_KEY: key,
          BANK_DATA: path.join(folder, 'bank'),
          ...options.bankEnv,
        },
      });
      await eventually(
        'the bank answers',
        () =>
          fetch(bank).then(
            () => true,
            () => false,
          ),
        20_000,
      );
      return part;
    };
    let bankPart = await openBank();
    const { parsed, anchor } = await completeManifest(secrets, options.spec ?? {});
    const configFile = path.join(folder, 'anchor.yaml');
    const rendered = renderForLocal(parsed, {
      host: 'localhost',
      horizon,
      integrationUrl: bank,
      database: DATABASE_REF,
      session: SESSION_REF,
      integrationKey: INTEGRATION_REF,
    });
    await writeFile(configFile, stringify(rendered));
    await prepareAccounts(anchor, horizon, secrets, () => undefined);
    const common = ['-c', configFile, '--secrets', secrets.folder];
    return {
      folder,
      databaseUrl: database.url,
      horizon,
      bank,
      anchor,
      configFile,
      start: (role, args = [], more = {}) =>
        started([options.program ?? MAIN, role, ...common, ...args], more),
      bankPart: () => bankPart,
      ledgerPid: ledger.pid,
      async restartBank() {
        await bankPart.end('SIGKILL');
        bankPart = await openBank();
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The demo's manifest with changed fields and, in `secrets`, keys of its own. */
async function completeManifest(
  secrets: SecretFolder,
  changes: Readonly<Record<string, unknown>>,
): Promise<{ readonly parsed: ParsedManifest; readonly anchor: Anchor }> {
  const file = path.join(ROOT, 'examples/anchors/demo.yaml');
  const demo = parse(await readFile(file, 'utf8')) as { spec: object };
  const text = stringify({ ...demo, spec: { ...demo.spec, ...changes } });
  const raw = parseManifest(text, 'premises.yaml');
  const parsed = completeForDevelopment(raw, await keepDevelopmentKeys(secrets, developmentNeeds(raw)));
  return { parsed, anchor: resolveAnchor(soleAnchor(checkManifest([parsed]), 'premises.yaml')) };
}

/** Runs a file on Node; with an IPC channel, at whose end it ends itself: nothing outlives a killed test. */
export async function startPart(args: readonly string[], options: PartOptions = {}): Promise<Part> {
  const out = options.outputFd ?? 'pipe';
  const child = spawn(process.execPath, [...NODE_FLAGS, ...(options.node ?? []), ...args], {
    cwd: ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', out, out, 'ipc'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => (printed = (printed + String(chunk)).slice(-100_000)));
  }
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code ?? -1)),
  );
  const ready = options.isSilent === true ? undefined : await saysReady(child, ended, () => printed);
  return {
    pid: child.pid ?? 0,
    ready,
    ended,
    output: () => printed,
    end(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

async function saysReady(
  child: ChildProcess,
  ended: Promise<number | NodeJS.Signals>,
  output: () => string,
): Promise<unknown> {
  const said = new Promise<unknown>((resolve) =>
    child.on('message', (message: { ready?: unknown }) => {
      if ('ready' in message) resolve(message.ready);
    }),
  );
  const fails = ended.then((how) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${how}:\n${output()}`);
  });
  return Promise.race([said, fails]);
}
