import { startEmbeddedDatabase } from '../../../core/database/embedded.ts';

/** PostgreSQL in the folder DATABASE_FOLDER. It writes through to no disk: no power is cut here, only processes end. */
const database = await startEmbeddedDatabase({
  folder: process.env['DATABASE_FOLDER'] ?? '',
  settings: [
    'fsync=off',
    'full_page_writes=off',
    'max_wal_size=128MB',
    'wal_level=minimal',
    'max_wal_senders=0',
  ],
});
const stop = (): void => void database.stop().finally(() => process.exit());
process.send?.({ ready: { url: database.url } });
process.once('disconnect', stop);
process.once('SIGTERM', stop);
