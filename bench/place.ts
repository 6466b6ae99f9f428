import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedDatabase } from '../core/database/embedded.ts';
import { migrate } from '../core/database/migrate.ts';

/** Where a bench works: a folder and a migrated PostgreSQL, as durable as in production (fsync on). */
export interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly databaseUrl: string;
}

/**
 * Both are gone with the disposal; nothing of an earlier run is used.
 *
 * @param settings of PostgreSQL, e.g. `shared_buffers=512MB`
 */
export async function openPlace(settings: readonly string[] = []): Promise<Place> {
  const folder = mkdtempSync(path.join(tmpdir(), 'capstan-bench-'));
  // As root, PostgreSQL runs as another user, who has to get here.
  chmodSync(folder, 0o755);
  const database = await startEmbeddedDatabase({ folder: path.join(folder, 'database'), settings });
  await migrate(database.url);
  return {
    folder,
    databaseUrl: database.url,
    [Symbol.asyncDispose]: async () => {
      await database.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
