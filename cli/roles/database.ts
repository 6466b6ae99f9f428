import { readFile } from 'node:fs/promises';
import { startEmbeddedDatabase } from '../../core/database/embedded.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { createLog } from '../../core/runtime/log.ts';
import { createShutdown } from '../../core/runtime/shutdown.ts';
import { sayReady } from './say-ready.ts';

export interface DatabaseRoleOptions {
  readonly data: string;
  readonly host?: string;
  readonly port?: number;
  readonly passwordFile?: string;
}

/**
 * Runs the embedded PostgreSQL in a process of its own: the package stops the server when its process gets a signal, which
 * must not happen before those who use the database are done.
 * @throws {EmbeddedDatabaseEnded}
 */
export async function runDatabase(options: DatabaseRoleOptions): Promise<number> {
  const log = createLog({ name: 'database', level: 'info' });
  const shutdown = createShutdown({ process, clock: systemClock, log });
  const { data, host, port, passwordFile } = options;
  const database = await startEmbeddedDatabase({
    folder: data,
    ...(passwordFile !== undefined && {
      listen: {
        addresses: host ?? '127.0.0.1',
        port: port ?? 5432,
        password: (await readFile(passwordFile, 'utf8')).trim(),
      },
    }),
  });
  shutdown.add({ name: 'postgresql', timeoutMs: 50_000, stop: () => database.stop() });
  sayReady({ url: database.url });
  // Who starts it again has to know that it ended, and why: nobody reads its log in a pod that goes on without it.
  const ended = await Promise.race([shutdown.finished, database.ended]);
  if (typeof ended === 'number') return ended;
  throw ended;
}
