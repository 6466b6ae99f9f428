import { chmod, chown, cp, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { Child } from './child.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** PostgreSQL behind a proxy whose port never changes, with dumps that can be restored. One thing happens at a time. */
export class Postgres {
  readonly proxy: TcpProxy;
  /** Through the proxy, as the processes use it. */
  url = '';
  /** Past the proxy. */
  directUrl = '';
  readonly #folder: string;
  readonly #child: Child;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(proxy: TcpProxy, options: { folder: string; main: string; logFile: string }) {
    this.proxy = proxy;
    this.#folder = options.folder;
    this.#child = new Child({
      name: 'postgresql',
      args: [path.join(options.main, 'test/faults/processes/database.ts')],
      env: { DATABASE_FOLDER: options.folder },
      cwd: options.main,
      logFile: options.logFile,
      onReady: (ready) => this.#isUp(ready as { url: string }),
      onDown: () => this.proxy.setTargets([]),
    });
  }

  static async start(options: { folder: string; main: string; logFile: string }): Promise<Postgres> {
    await mkdir(options.folder, { recursive: true });
    const postgres = new Postgres(await startTcpProxy(), options);
    await postgres.#child.start();
    return postgres;
  }

  /** Runs a statement past the proxy, on a connection of its own. */
  async query(
    text: string,
    values?: readonly unknown[],
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const client = new pg.Client({ connectionString: this.directUrl, connectionTimeoutMillis: 5_000 });
    // It may restart at any moment; the statement then fails by itself.
    client.on('error', () => undefined);
    await client.connect();
    try {
      const { rows } = await client.query<Readonly<Record<string, unknown>>>(text, values && [...values]);
      return rows;
    } finally {
      await client.end();
    }
  }

  /** Stops it with all connections, and starts it again; `isCrash`: by kill -9 of all of it. */
  restart(isCrash: boolean): Promise<void> {
    return this.#alone(async () => {
      await this.#down(isCrash);
      await this.#up();
    });
  }

  /** Copies the database as it is now. */
  dump(): Promise<void> {
    return this.#alone(async () => {
      await this.#down(false);
      await rm(this.#dumpFolder, { recursive: true, force: true });
      await cp(this.#dataFolder, this.#dumpFolder, { recursive: true, preserveTimestamps: true });
      await this.#own(this.#dumpFolder);
      await this.#up();
    });
  }

  /** Puts the last dump in the place of the database. */
  restore(): Promise<void> {
    return this.#alone(async () => {
      this.proxy.refuse(true);
      this.proxy.cut();
      await this.#down(false);
      await rm(this.#dataFolder, { recursive: true, force: true });
      await cp(this.#dumpFolder, this.#dataFolder, { recursive: true, preserveTimestamps: true });
      await this.#own(this.#dataFolder);
      await this.#up();
      this.proxy.refuse(false);
    });
  }

  async close(): Promise<void> {
    await this.#alone(() => this.#child.stop());
    await this.proxy.close();
  }

  get #dataFolder(): string {
    return path.join(this.#folder, 'data');
  }

  get #dumpFolder(): string {
    return path.join(this.#folder, 'dump');
  }

  #isUp({ url }: { url: string }): void {
    this.directUrl = url;
    const seen = new URL(url);
    this.proxy.setTargets([Number(seen.port)]);
    seen.port = String(this.proxy.port);
    this.url = seen.href;
  }

  async #up(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#child.start();
        return;
      } catch (error) {
        // After a crash its shared memory may be in use for another moment.
        if (attempt === 10) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  async #down(isCrash: boolean): Promise<void> {
    if (isCrash) {
      const postmaster = Number(
        readFileSync(path.join(this.#dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0],
      );
      if (postmaster > 1) process.kill(postmaster, 'SIGKILL');
    }
    await this.#child.stop(isCrash ? 0 : 10_000);
    this.proxy.cut();
  }

  /** Run as root, the server has a user of its own, whose files they stay. */
  async #own(folder: string): Promise<void> {
    if (process.getuid?.() !== 0) return;
    const { uid, gid } = await stat(this.#dataFolder === folder ? this.#dumpFolder : this.#dataFolder);
    await chown(folder, uid, gid);
    await chmod(folder, 0o700);
    for (const entry of await readdir(folder, { recursive: true }))
      await chown(path.join(folder, entry), uid, gid);
  }

  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}
