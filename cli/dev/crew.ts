import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../core/runtime/clock.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { Shutdown } from '../../core/runtime/shutdown.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { startChild, type Child } from './children.ts';
import type { Place } from './dev.ts';
import { INTEGRATION_REF, newIntegrationKey } from './keys.ts';
import type { Output } from './output.ts';
import { firstFree } from './ports.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = path.join(ROOT, 'cli/main.ts');
const KEEPER = path.join(ROOT, 'cli/dev/keeper.ts');
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];
const STOP_MS = 2_000;

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
    const port = await firstFree([8000]);
    const child = await this.#start('ledger', [
      'ledger',
      '--port',
      String(port),
      '--data',
      path.join(this.#folder, 'ledger'),
    ]);
    if (shutdown.signal.aborted) return undefined;
    return (child.ready as { url: string }).url;
  }

  /** Where the integration started here answers; undefined when it runs elsewhere. @throws {NoIntegration} */
  async startIntegration(): Promise<string | undefined> {
    const { anchor, place, output } = this.#options;
    const { url, command, port: wanted } = anchor.integration;
    if (command === undefined) {
      if (url === undefined) throw new NoIntegration();
      return undefined;
    }
    const port = await firstFree([wanted]);
    if (port !== wanted) output.notice(`Port ${wanted} is taken: the integration gets ${port}.`);
    const key = await place.secrets.keep(INTEGRATION_REF, newIntegrationKey);
    this.#integration = await this.#startChild({
      name: 'integration',
      command: process.execPath,
      args: [...NODE_FLAGS, KEEPER, ...command],
      saysReady: false,
      env: {
        PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        PORT: String(port),
        CAPSTAN_INTEGRATION_KEY: key,
        BANK_DATA: path.join(this.#folder, 'integration'),
      },
    });
    const base = `http://127.0.0.1:${port}`;
    await this.#answers(base);
    return base;
  }

  async migrate(): Promise<void> {
    const child = await this.#startChild({ ...this.#role('migrate', []), restarts: false, saysReady: false });
    await child.ended;
  }

  /** @param accounts the watcher starts when they are there: it has nothing to watch before. */
  async startRoles(accounts: Promise<void>): Promise<void> {
    const startWatcher = async (): Promise<Child> => {
      await accounts;
      return this.#startChild(this.#role('watch-transactions', ['--development']));
    };
    const { place } = this.#options;
    const tls = path.dirname(place.certificates.certificateFile);
    const server = ['--http-port', '0', '--https-port', String(place.port), '--private-port', '0'];
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
      args: [...NODE_FLAGS, MAIN, name, ...common, ...args],
      env: {},
    };
  }

  #start(name: string, args: readonly string[]): Promise<Child> {
    return this.#startChild({
      name,
      command: process.execPath,
      args: [...NODE_FLAGS, MAIN, ...args],
      env: {},
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

  /** Waits until something answers HTTP there, whatever it says. */
  async #answers(url: string): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      try {
        await fetch(url, { signal: AbortSignal.timeout(1_000) });
        return;
      } catch {
        await systemClock.sleep(100, this.#options.shutdown.signal);
      }
    }
    throw new CapstanError(
      'integration_silent',
      `The integration does not answer at ${url} after 10 s. Does it listen on the port in its PORT variable?`,
    );
  }
}

interface ChildSpecification {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly saysReady?: boolean;
  readonly restarts?: boolean;
}
