import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedDatabase, type EmbeddedDatabase } from '../../core/database/embedded.ts';
import { migrate } from '../../core/database/migrate.ts';
import { newFolder, SHARED_FOLDER, SHARED_RUN } from '../cluster/control-plane.ts';
import { isAlive } from '../cluster/lock.ts';

declare global {
  var capstanTestDatabase: (EmbeddedDatabase & { folder: string }) | undefined;
}

const MEMORY = '/dev/shm';
const ENOUGH_BYTES = 4 * 1_024 ** 3;

/**
 * One real PostgreSQL for the whole run, with a migrated template from which each test file copies its own database; and
 * a place for the one control plane, which the first test that needs it starts.
 */
export default async function globalSetup(): Promise<void> {
  process.env[SHARED_FOLDER] = newFolder();
  process.env[SHARED_RUN] = String(process.pid);
  const folder = await mkdtemp(path.join(await quickFolder(), `capstan-test-${process.pid}-`));
  const database = await startEmbeddedDatabase({
    folder,
    database: 'template',
    settings: ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'],
  });
  await migrate(database.url);
  globalThis.capstanTestDatabase = { ...database, folder };
  process.env['CAPSTAN_TEST_DATABASE'] = database.url;
  await writeFile(path.join(folder, 'README'), 'made by a test run of Capstan; may be deleted\n');
}

/** In memory where Linux has enough of it: a database is three hundred files, and most tests make and drop one. */
async function quickFolder(): Promise<string> {
  if (!existsSync(MEMORY)) return tmpdir();
  await removeLeftovers();
  const { bavail, bsize } = await statfs(MEMORY);
  return Math.min(bavail * bsize, process.availableMemory()) < ENOUGH_BYTES ? tmpdir() : MEMORY;
}

/** What runs that were killed left in memory. A PostgreSQL that still runs there ends when it misses its files. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(MEMORY)) {
    const [, pid] = /^capstan-test-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // Another user's stay.
    await rm(path.join(MEMORY, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
