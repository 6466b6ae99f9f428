import type * as sqlite from 'node:sqlite';
import type { Begun, IdempotencyStore } from './idempotency.ts';

/**
 * Opens (or makes) a SQLite file whose commits are on disk when they return: a write-ahead log with fsync at each
 * commit. For one process at a time.
 */
export function openDatabase(path: string): sqlite.DatabaseSync {
  const { DatabaseSync: Database } = loadSqlite();
  const database = new Database(path);
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000',
  );
  return database;
}

/** node:sqlite announces itself as experimental whenever it is loaded; in a service's log that is noise. */
function loadSqlite(): typeof sqlite {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS capstan_idempotency (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    answer TEXT,
    begun_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
  ) STRICT`;

/** An {@link IdempotencyStore} in `database`, in a table of its own; answers are kept for good. */
export function createIdempotencyStore(database: sqlite.DatabaseSync): IdempotencyStore {
  database.exec(SCHEMA);
  const insert = database.prepare(
    'INSERT OR IGNORE INTO capstan_idempotency (key, fingerprint) VALUES (?, ?)',
  );
  const select = database.prepare('SELECT fingerprint, answer FROM capstan_idempotency WHERE key = ?');
  const update = database.prepare(
    'UPDATE capstan_idempotency SET answer = ? WHERE key = ? AND answer IS NULL',
  );
  const remove = database.prepare('DELETE FROM capstan_idempotency WHERE key = ? AND answer IS NULL');
  return {
    begin(key, fingerprint): Begun {
      if (insert.run(key, fingerprint).changes === 1) return { state: 'new' };
      const row = select.get(key);
      if (row?.['fingerprint'] !== fingerprint) return { state: 'conflict' };
      const answer = row['answer'];
      return typeof answer === 'string' ? { state: 'done', answer } : { state: 'interrupted' };
    },
    finish: (key, answer) => void update.run(answer, key),
    release: (key) => void remove.run(key),
  };
}

/** The same in a file of its own. */
export function openIdempotencyStore(path: string): IdempotencyStore & Disposable {
  const database = openDatabase(path);
  return { ...createIdempotencyStore(database), [Symbol.dispose]: () => database.close() };
}
