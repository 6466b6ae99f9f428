import { createHash, randomBytes } from 'node:crypto';
import { appendFile, chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { CapstanError, messageOf } from '../runtime/errors.ts';
import { systemClock } from '../runtime/clock.ts';
import { sync, syncFolder, unpackCluster } from './cluster-template.ts';
import {
  createServer,
  startOnFreePort,
  startServer,
  type ServerOptions,
  type StartedServer,
} from './embedded-server.ts';

const OTHERS_MAY_PASS = 0o001;
const SETTINGS = [
  'max_connections=200',
  // A commit writes its own log (synchronous_commit); to look five times a second for what others left only keeps a core awake.
  'wal_writer_delay=10s',
  // A checkpoint wakes for every page that it writes. One is made earlier where the log would not leave room on a small volume.
  'checkpoint_timeout=15min',
  'max_wal_size=256MB',
];

export class EmbeddedDatabaseFailed extends CapstanError {
  constructor(folder: string, cause: unknown) {
    super(
      'embedded_database_failed',
      `The embedded PostgreSQL in ${folder} did not start: ${messageOf(cause)}. ${adviceFor(messageOf(cause))}`,
      { cause },
    );
  }
}

/** A full disk is no reason to put the data away. */
const adviceFor = (why: string): string =>
  why.includes('No space left on device')
    ? 'Make room on its disk: what is in the folder is whole.'
    : 'Stop what uses that folder, or move it away to begin anew.';

export interface EmbeddedDatabase extends Pick<StartedServer, 'stop' | 'ended'> {
  readonly url: string;
}

export interface EmbeddedOptions {
  /** Kept between starts. */
  readonly folder: string;
  readonly database?: string;
  /** Server settings, such as `fsync=off` for tests. */
  readonly settings?: readonly string[];
  /** For others than this machine: addresses as PostgreSQL has them (`*` is all). Default: loopback, a free port. */
  readonly listen?: {
    readonly addresses: string;
    readonly port: number;
    /** Of the user `capstan`, in the folder's first start; it is not changed later. */
    readonly password: string;
  };
  /** Looks for a port where `listen` names none. Default: whichever the system gives. */
  readonly findPort?: () => Promise<number>;
}

/** What images bring with them beside the bundle (scripts/image); there is none beside the sources. */
const TEMPLATE = path.join(import.meta.dirname, 'database-template');

/** Everybody who can reach the port has to know the password. */
const FROM_ANYWHERE = 'host all all all scram-sha-256';

/**
 * Starts a real PostgreSQL from npm's binaries in a folder that survives restarts. One that an earlier, killed run left
 * behind on the same folder is stopped first.
 * @throws {EmbeddedDatabaseFailed}
 */
export async function startEmbeddedDatabase(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const name = options.database ?? 'capstan';
  let { folder } = options;
  try {
    await mkdir(options.folder, { recursive: true });
    folder = await folderOfPostgres(options.folder);
    const data = path.join(folder, 'data');
    const { listen } = options;
    await stopLeftover(data);
    // A volume is mounted by one pod at a time: what its last one left behind is nobody's, whoever has that pid now.
    if (listen) await rm(path.join(data, 'postmaster.pid'), { force: true });
    const password = listen?.password ?? (await keepSecret(path.join(folder, 'password')));
    if (!(await exists(path.join(data, 'PG_VERSION')))) await createCluster({ data, password });
    const settings = [...SETTINGS, ...(options.settings ?? [])];
    if (listen) await addLine(path.join(data, 'pg_hba.conf'), FROM_ANYWHERE);
    const { port, ...watch } = listen
      ? await startServer({ data, settings, ...listen })
      : await startOnFreePort({ data, password, settings }, options.findPort);
    const base = `postgresql://capstan:${password}@127.0.0.1:${port}`;
    await createDatabase(`${base}/postgres`, name);
    return { url: `${base}/${name}`, ...watch };
  } catch (error) {
    throw new EmbeddedDatabaseFailed(folder, error);
  }
}

/**
 * A new cluster with the user `capstan`, from `initdb`, or from the template where an image has one. It takes its name when it is
 * whole: a start that was cut short leaves nothing that looks like a cluster, and in an image, where data are kept for good, neither
 * does a power cut.
 */
export async function createCluster(options: ServerOptions): Promise<void> {
  const unfinished = `${options.data}.new`;
  await rm(unfinished, { recursive: true, force: true });
  if (await exists(TEMPLATE)) {
    await unpackCluster(TEMPLATE, unfinished);
    await setPassword({ ...options, data: unfinished });
    await syncFolder(unfinished);
  } else {
    await createServer({ ...options, data: unfinished }).initialise();
  }
  await rename(unfinished, options.data);
  await sync(path.dirname(options.data));
}

/** Of a cluster from a template, whose password nobody knows: by a server that trusts its own machine while it does only this. */
async function setPassword(options: ServerOptions): Promise<void> {
  const { data, password } = options;
  const trust = path.join(data, 'pg_hba.trust.conf');
  await writeFile(trust, 'host all capstan 127.0.0.1/32 trust\n', { mode: 0o600 });
  const { port, stop } = await startOnFreePort({ ...options, settings: [`hba_file=${trust}`] });
  try {
    await withClient(`postgresql://capstan@127.0.0.1:${port}/postgres`, (client) =>
      client.query(`alter role capstan password ${client.escapeLiteral(password)}`),
    );
  } finally {
    await stop();
  }
  await rm(trust);
}

/**
 * PostgreSQL refuses to run as root and then runs as its own user, who must be able to reach its data. Where a folder
 * above is closed to others (a clone in root's home), the data is kept below /var/lib instead. Both folders then hold the
 * same instance id: who deletes the one in sight begins anew, although the data is elsewhere.
 */
async function folderOfPostgres(folder: string): Promise<string> {
  if (process.getuid?.() !== 0) return folder;
  await chmod(folder, 0o755);
  for (let parent = path.dirname(path.resolve(folder)); ; parent = path.dirname(parent)) {
    if (((await stat(parent)).mode & OTHERS_MAY_PASS) === 0) break;
    if (parent === path.dirname(parent)) return folder;
  }
  const id = createHash('sha256').update(path.resolve(folder)).digest('hex').slice(0, 16);
  const elsewhere = path.join('/var/lib/capstan', id);
  const instance = await keepSecret(path.join(folder, 'instance'));
  if ((await readText(path.join(elsewhere, 'instance'))) !== instance) await forget(elsewhere);
  await mkdir(elsewhere, { recursive: true });
  await writeFile(path.join(elsewhere, 'instance'), `${instance}\n`, { mode: 0o600 });
  await writeFile(path.join(folder, 'DATA_IS_IN'), `${elsewhere}\n`);
  return elsewhere;
}

/** Removes the data of a folder that is gone, and stops who may still use it. */
async function forget(elsewhere: string): Promise<void> {
  await stopLeftover(path.join(elsewhere, 'data'));
  await rm(elsewhere, { recursive: true, force: true });
}

async function createDatabase(adminUrl: string, name: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (!rowCount) await client.query(`create database ${client.escapeIdentifier(name)}`);
  });
}

async function withClient(url: string, use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

/** A random word, made once and kept in the file for the next start. */
async function keepSecret(file: string): Promise<string> {
  const known = await readText(file);
  if (known) return known;
  const secret = randomBytes(24).toString('base64url');
  await writeFile(file, `${secret}\n`, { mode: 0o600 });
  return secret;
}

/**
 * A `kill -9` of our process leaves PostgreSQL running; its pid file names it. Pids are reused: only a process whose command line
 * names our folder is ours to stop. Where there is no /proc to tell, none is; PostgreSQL itself then refuses a folder in use.
 */
async function stopLeftover(data: string): Promise<void> {
  const pidFile = path.join(data, 'postmaster.pid');
  const pid = Number((await readText(pidFile))?.split('\n', 1)[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const command = (): Promise<string | undefined> => readText(`/proc/${pid}/cmdline`);
  const running = await command();
  if (running === '') {
    // Killed, too, and its parent has not taken note: PostgreSQL would take it for alive.
    await waitUntil(async () => (await command()) !== '');
  } else if (running?.split('\0').includes(data)) {
    process.kill(pid, 'SIGINT');
    await waitUntil(async () => !(await exists(pidFile)));
  }
}

/** For ten seconds at most. */
async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 10_000 && !(await isSo()); waited += 50) await systemClock.sleep(50);
}

async function addLine(file: string, line: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  if (!text.split('\n').includes(line)) await appendFile(file, `${line}\n`);
}

/** Trimmed; undefined when there is no such file. */
async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
