import { startEmbeddedDatabase } from '../../core/database/embedded.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { createLog } from '../../core/runtime/log.ts';
import { createShutdown } from '../../core/runtime/shutdown.ts';
import { sayReady } from './process.ts';

/**
 * Runs the embedded PostgreSQL in a process of its own: the package stops the server when its process gets a signal, which
 * must not happen before those who use the database are done.
 */
export async function runDatabase(options: { data: string }): Promise<number> {
  const log = createLog({ name: 'database', level: 'info' });
  const shutdown = createShutdown({ process, clock: systemClock, log });
  const database = await startEmbeddedDatabase({ folder: options.data });
  shutdown.add({ name: 'postgresql', timeoutMs: 8_000, stop: () => database.stop() });
  sayReady({ url: database.url });
  return shutdown.finished;
}
