import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { AnchorFiles } from './anchor-files.ts';
import { Child } from './child.ts';
import type { TcpProxy } from './tcp-proxy.ts';

export const ROLES = ['server', 'watch-transactions', 'poll-deposits', 'check-trustlines'] as const;
export type Role = (typeof ROLES)[number];

/** A process of the anchor, of which there are two of each role. */
export interface Member {
  readonly role: Role;
  readonly child: Child;
  /** Sets its clock off by so many milliseconds. */
  shiftClock(milliseconds: number): void;
}

export interface CrewOptions {
  /** The source tree whose `capstan` is run: this one, or one with a planted bug. */
  readonly tree: string;
  /** This source tree, of the simulator itself. */
  readonly main: string;
  readonly folder: string;
  readonly files: AnchorFiles;
  /** Before the servers, as a load balancer. */
  readonly balancer: TcpProxy;
}

const ARGS: Readonly<Record<Role, readonly string[]>> = {
  server: [
    '--http-port',
    '0',
    '--private-port',
    '0',
    '--host',
    '127.0.0.1',
    '--drain-delay',
    '0.3',
    '--development',
  ],
  'watch-transactions': ['--private-port', '0', '--host', '127.0.0.1', '--development'],
  'poll-deposits': ['--loop'],
  'check-trustlines': ['--loop'],
};

interface ServerReady {
  readonly addresses: { readonly http: { readonly port: number } };
}

/** The real processes, two of each role; and commands of support staff. */
export class Crew {
  readonly members: readonly Member[];
  readonly #options: CrewOptions;
  readonly #ports = new Map<string, number>();

  constructor(options: CrewOptions) {
    this.#options = options;
    this.members = ROLES.flatMap((role) => [1, 2].map((number) => this.#member(role, number)));
  }

  async start(): Promise<void> {
    await Promise.all(this.members.map(({ child }) => child.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(({ child }) => child.stop()));
  }

  of(role: Role): readonly Member[] {
    return this.members.filter((member) => member.role === role);
  }

  /** A `capstan` command that ends by itself. @throws with what it printed when it fails */
  async run(command: string, ...args: readonly string[]): Promise<string> {
    const { tree, files, folder } = this.#options;
    const { execFile } = await import('node:child_process');
    return new Promise((resolve, reject) => {
      execFile(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          path.join(tree, 'cli/main.ts'),
          ...command.split(' '),
          ...args,
          '--config',
          files.config,
          '--secrets',
          files.secrets,
        ],
        { cwd: folder, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          error ? reject(new Error(`capstan ${command}: ${stderr || error.message}`)) : resolve(stdout),
      );
    });
  }

  #member(role: Role, number: number): Member {
    const { tree, main, folder, files, balancer } = this.#options;
    const name = `${role}-${number}`;
    const clock = path.join(folder, `clock-${name}`);
    const showPorts = (): void => balancer.setTargets([...this.#ports.values()]);
    const child = new Child({
      name,
      args: [
        '--import',
        path.join(main, 'test/faults/processes/clock-shift.ts'),
        path.join(tree, 'cli/main.ts'),
        role,
        '--config',
        files.config,
        '--secrets',
        files.secrets,
        ...ARGS[role],
      ],
      env: { SIM_CLOCK_FILE: clock },
      cwd: folder,
      logFile: path.join(folder, `${name}.log`),
      onReady: (ready) => {
        if (role !== 'server') return;
        this.#ports.set(name, (ready as ServerReady).addresses.http.port);
        showPorts();
      },
      onDown: () => {
        if (this.#ports.delete(name)) showPorts();
      },
    });
    return { role, child, shiftClock: (milliseconds) => writeFileSync(clock, String(milliseconds)) };
  }
}
