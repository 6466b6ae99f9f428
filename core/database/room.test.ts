import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase } from '../../test/support/database.ts';
import { createFakeClock } from '../runtime/fake-clock.ts';
import { openDatabase } from './database.ts';
import { startEmbeddedDatabase } from './embedded.ts';
import { createRoomCheck, hasRoom } from './room.ts';

/** Mounting a disk of a few megabytes is for root alone. */
const describeForRoot = process.getuid?.() === 0 ? describe : describe.skip;

test('there is room on a disk that has some, and nothing is left of the look', async () => {
  const { database, drop } = await createTestDatabase();
  expect(await hasRoom(database)).toBe(true);
  const { rows } = await sql<{ name: string }>`select name from pg_ls_tmpdir()`.execute(database);
  expect(rows).toEqual([]);
  await drop();
});

test('a look that the limits of its role end says nothing of the disk, and is not made again at once', async () => {
  const { database, url, drop } = await createTestDatabase();
  const limit = (to: string) => sql.raw(`alter database ${new URL(url).pathname.slice(1)} set ${to}`);
  await limit("temp_file_limit = '1MB'").execute(database);
  const limited = openDatabase({ url, applicationName: 'limited' });
  const clock = createFakeClock();
  const check = createRoomCheck(limited, clock);
  expect(await Promise.all([check(), check()])).toEqual([undefined, undefined]);
  // They shared one look: two would have taken two connections.
  const connections = sql`select from pg_stat_activity where application_name = 'limited'`;
  expect((await connections.execute(database)).rows).toHaveLength(1);
  await limited.destroy();
  // Of a pool that is gone a look would fail in any case: this is the answer from before.
  expect(await check()).toBeUndefined();
  await drop();
});

describeForRoot('on a disk of its own', () => {
  test('a disk that is full has none until something is taken away; a look is made once a minute, of a full one every 5 s', async () => {
    const disk = mkdtempSync(path.join(tmpdir(), 'capstan-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m,mode=755', 'tmpfs', disk]);
    const { url, stop } = await startEmbeddedDatabase({ folder: disk });
    const database = openDatabase({ url, applicationName: 'test' });
    const clock = createFakeClock();
    const check = createRoomCheck(database, clock);
    try {
      expect(await check()).toBe(true);
      const ballast = path.join(disk, 'ballast');
      expect(() => writeFileSync(ballast, Buffer.alloc(2 ** 27))).toThrow('ENOSPC');
      expect(statSync(ballast).size).toBeGreaterThan(2 ** 20);
      expect(await check()).toBe(true);
      await clock.advance(60_000);
      expect(await check()).toBe(false);
      rmSync(ballast);
      expect(await check()).toBe(false);
      await clock.advance(5_000);
      expect(await check()).toBe(true);
      expect(readdirSync(path.join(disk, 'data/base/pgsql_tmp'))).toEqual([]);
    } finally {
      await database.destroy();
      await stop();
      execFileSync('umount', [disk]);
      rmSync(disk, { recursive: true });
    }
  }, 60_000);
});
