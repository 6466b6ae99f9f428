import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../core/runtime/clock.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { Shutdown } from '../../core/runtime/shutdown.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { ChildFailed, startChild, type Child, type ChildSpec } from './children.ts';
import type { Place } from './dev.ts';
import { startIntegration } from './integration.ts';
import { INTEGRATION_REF, newIntegrationKey } from './keys.ts';
import type { Output } from './output.ts';
import { reservePort } from './ports.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = path.join(ROOT, 'cli/main.ts');
const KEEPER = path.join(ROOT, 'cli/dev/keeper.ts');
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];
const STOP_MS = 2_000;
const LEDGER_PORT = 8000;

export class NoIntegration extends CapstanError {
  constructor() {
    super(
      'no_integration',
      'The manifest says neither integration.url nor integration.command: "capstan dev" starts no container. Add the command that starts your integration here.',
    );
  }
}

export interface CrewOptions {
  readonly output: Output;
  readonly shutdown: Shutdown;
  readonly place: Place;
  readonly anchor: Anchor;
  /** No port is preferred to another: several of these run side by side. */
  readonly anyPort: boolean;
  /** The address on which the server and the integration listen. */
  readonly host: string;
  /** The folder with the branding of the pages. */
  readonly branding: string | undefined;
}

/** The processes of one anchor on this machine, each a real one, stopped in the reverse of their order. */
export class Crew {
  readonly #options: CrewOptions;
  #roles: readonly Child[] = [];
  #integration: Child | undefined;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  async startDatabase(): Promise<string> {
    const child = await this.#start('database', ['database', '--data', path.join(this.#folder, 'database')]);
    return (child.ready as { url: string }).url;
  }

  /** The local ledger's URL; undefined on any other network, or when the manifest names a Horizon itself. */
  async startLedger(): Promise<string | undefined> {
    const { anchor, shutdown } = this.#options;
    if (anchor.network.name !== 'local') return undefined;
    const dataFolder = path.join(this.#folder, 'ledger');
    const args = (port: number): readonly string[] => [
      'ledger',
      '--port',
      String(port),
      '--data',
      dataFolder,
    ];
    // Whoever reads the URL keeps it: started again, it has to come back where it was.
    const again = (ready: unknown): readonly string[] =>
      this.#command(args(Number(new URL((ready as { url: string }).url).port)));
    const child = await this.#startLedgerOn(await this.#ledgerPort(), (port) =>
      this.#start('ledger', args(port), again),
    );
    if (shutdown.signal.aborted) return undefined;
    return (child.ready as { url: string }).url;
  }

  /** The port where people look for a local Horizon, if it can be had; 0: any. */
  async #ledgerPort(): Promise<number> {
    if (this.#options.anyPort) return 0;
    const reserved = await reservePort([LEDGER_PORT]);
    await reserved.release();
    return reserved.port === LEDGER_PORT ? LEDGER_PORT : 0;
  }

  /** Another may have taken the port meanwhile. */
  async #startLedgerOn(port: number, start: (port: number) => Promise<Child>): Promise<Child> {
    try {
      return await start(port);
    } catch (error) {
      if (port === 0 || this.#options.shutdown.signal.aborted || !(error instanceof ChildFailed)) throw error;
      return start(0);
    }
  }

  /** Where the integration started here answers; undefined when it runs elsewhere. @throws {NoIntegration} */
  async startIntegration(): Promise<string | undefined> {
    const { anchor, place, output, shutdown, anyPort, host } = this.#options;
    const { url, command, port: wanted } = anchor.integration;
    if (command === undefined) {
      if (url === undefined) throw new NoIntegration();
      return undefined;
    }
    const key = await place.secrets.keep(INTEGRATION_REF, newIntegrationKey);
    const started = await startIntegration({
      wanted: anyPort ? 0 : wanted,
      key,
      signal: shutdown.signal,
      onNotice: output.notice,
      launch: (port) =>
        this.#startChild({
          name: 'integration',
          command: process.execPath,
          args: [...NODE_FLAGS, KEEPER, ...command],
          saysReady: false,
          env: {
            PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
            HOST: host,
            PORT: String(port),
            CAPSTAN_INTEGRATION_KEY: key,
            BANK_DATA: path.join(this.#folder, 'integration'),
          },
        }),
    });
    this.#integration = started.child;
    return started.url;
  }

  async migrate(): Promise<void> {
    const child = await this.#startChild({ ...this.#role('migrate', []), restarts: false, saysReady: false });
    await child.ended;
  }

  /** @param accounts the watcher starts when they are there: it has nothing to watch before. */
  async startRoles(accounts: Promise<void>): Promise<void> {
    const startWatcher = async (): Promise<Child> => {
      await accounts;
      return this.#startChild(
        this.#role('watch-transactions', ['--development', '--private-port', '0', '--host', host]),
      );
    };
    const { place, host, branding } = this.#options;
    await place.port.release();
    const tls = path.dirname(place.certificates.certificateFile);
    const server = [
      '--http-port',
      '0',
      '--https-port',
      String(place.port.port),
      '--private-port',
      '0',
      '--host',
      host,
      ...(branding === undefined ? [] : ['--branding', branding]),
    ];
    this.#roles = await Promise.all([
      this.#startChild(
        this.#role('server', [...server, '--tls', tls, '--drain-delay', '0.1', '--development']),
      ),
      startWatcher(),
      this.#startChild(this.#role('poll-deposits', ['--loop'])),
      this.#startChild(this.#role('check-trustlines', ['--loop'])),
    ]);
  }

  async restartRoles(): Promise<void> {
    await Promise.all(this.#roles.map((child) => child.restart()));
  }

  async restartIntegration(): Promise<void> {
    await this.#integration?.restart();
  }

  get #folder(): string {
    return this.#options.place.folder;
  }

  #role(name: string, args: readonly string[]): ChildSpecification {
    const { configFile, secrets } = this.#options.place;
    const common = ['--config', configFile, '--secrets', secrets.folder];
    return {
      name,
      command: process.execPath,
      args: this.#command([name, ...common, ...args]),
      env: {},
    };
  }

  #command(args: readonly string[]): readonly string[] {
    return [...NODE_FLAGS, MAIN, ...args];
  }

  #start(name: string, args: readonly string[], argsAgain?: ChildSpec['argsAgain']): Promise<Child> {
    return this.#startChild({
      name,
      command: process.execPath,
      args: this.#command(args),
      env: {},
      ...(argsAgain !== undefined && { argsAgain }),
    });
  }

  async #startChild(spec: ChildSpecification): Promise<Child> {
    const { output, shutdown } = this.#options;
    const child = await startChild(
      { saysReady: true, restarts: true, ...spec },
      { clock: systemClock, onLine: output.line, onNotice: output.notice, stopTimeoutMs: STOP_MS },
    );
    if (shutdown.signal.aborted) await child.stop();
    else shutdown.add({ name: spec.name, timeoutMs: STOP_MS + 500, stop: child.stop });
    return child;
  }
}

type ChildSpecification = Omit<ChildSpec, 'saysReady' | 'restarts'> & Partial<ChildSpec>;
