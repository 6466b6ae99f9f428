import { expect, test } from '@jest/globals';
import { createLastWords } from './last-words.ts';

const LINE = '2026-11-29 04:35:00.123 UTC [40]';

test('why PostgreSQL ended is its last fatal error, not what it says at its end or to those who connect meanwhile', () => {
  const said = createLastWords();
  said.hear(`${LINE} LOG:  database system is ready to accept connections\n`);
  said.hear(
    [
      `${LINE} PANIC:  could not write to file "pg_wal/xlogtemp.40": No space left on device`,
      `${LINE} LOG:  all server processes terminated; reinitializing`,
      `${LINE} FATAL:  the database system is in recovery mode`,
      `${LINE} FATAL:  could not write to file "pg_wal/xlogtemp.41": No space left on device`,
    ].join('\n'),
  );
  said.hear(`${LINE} FATAL:  the database system is starting up\n`.repeat(100));
  said.hear(
    `${LINE} LOG:  shutting down due to startup process failure\n${LINE} LOG:  database system is shut down\n`,
  );
  expect(said.why()).toBe('could not write to file "pg_wal/xlogtemp.41": No space left on device');
});

test('without one it is the last line, and nothing before the first', () => {
  const said = createLastWords();
  expect(said.why()).toBeUndefined();
  said.hear('initdb: error: could not create directory\n\n');
  expect(said.why()).toBe('initdb: error: could not create directory');
});
