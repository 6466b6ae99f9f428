import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from './clock.ts';
import { createLog } from './log.ts';
import { watchFiles } from './watch-file.ts';

const log = createLog({ name: 'test', level: 'silent' });
let folder: string;
let stop: AbortController;
const seen = { changes: 0 };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-watch-'));
  stop = new AbortController();
  seen.changes = 0;
});
afterEach(async () => {
  stop.abort();
  await rm(folder, { recursive: true });
});

const start = (names: string[], pollMs = 60_000): Promise<void> =>
  watchFiles({
    paths: names.map((name) => join(folder, name)),
    onChange: () => void (seen.changes += 1),
    signal: stop.signal,
    clock: systemClock,
    log,
    pollMs,
    settleMs: 20,
  });

/** How many changes were told once there were `enough`, or four seconds later. */
async function told(enough: number): Promise<number> {
  const deadline = Date.now() + 4_000;
  while (seen.changes < enough && Date.now() < deadline) await systemClock.sleep(20);
  return seen.changes;
}

describe('watchFiles', () => {
  test('notices a file that is written in place', async () => {
    await writeFile(join(folder, 'a'), '1');
    await start(['a']);
    await writeFile(join(folder, 'a'), '2');
    expect(await told(1)).toBe(1);
  });

  test("notices an editor's rename over the file, twice", async () => {
    await writeFile(join(folder, 'a'), '1');
    await start(['a']);
    for (const [index, text] of ['2', '3'].entries()) {
      await writeFile(join(folder, 'a.swp'), text);
      await rename(join(folder, 'a.swp'), join(folder, 'a'));
      expect(await told(index + 1)).toBe(index + 1);
    }
  });

  test('notices the symlink swap of a Kubernetes volume, once for all its files', async () => {
    for (const version of ['v1', 'v2']) {
      await mkdir(join(folder, version));
      for (const name of ['tls.crt', 'tls.key']) await writeFile(join(folder, version, name), version + name);
    }
    await symlink('v1', join(folder, '..data'));
    for (const name of ['tls.crt', 'tls.key']) await symlink(join('..data', name), join(folder, name));
    await start(['tls.crt', 'tls.key']);
    await symlink('v2', join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    expect(await told(1)).toBe(1);
    await systemClock.sleep(100);
    expect(seen.changes).toBe(1);
  });

  test('notices a file that appears, and does not tell of one that is only touched', async () => {
    await start(['a']);
    await writeFile(join(folder, 'a'), '1');
    expect(await told(1)).toBe(1);
    await utimes(join(folder, 'a'), new Date(), new Date());
    await systemClock.sleep(150);
    expect(seen.changes).toBe(1);
  });

  test('polls where the directory cannot be watched', async () => {
    await start(['later/a'], 30);
    await mkdir(join(folder, 'later'));
    await writeFile(join(folder, 'later', 'a'), '1');
    expect(await told(1)).toBe(1);
  });

  test('a change that cannot be taken over does not end the watch, a stop does', async () => {
    await writeFile(join(folder, 'a'), '1');
    await watchFiles({
      paths: [join(folder, 'a')],
      onChange: () => {
        seen.changes += 1;
        throw new Error('bad certificate');
      },
      signal: stop.signal,
      clock: systemClock,
      log,
      settleMs: 20,
    });
    await writeFile(join(folder, 'a'), '2');
    expect(await told(1)).toBe(1);
    await writeFile(join(folder, 'a'), '3');
    expect(await told(2)).toBe(2);
    stop.abort();
    await writeFile(join(folder, 'a'), '4');
    await systemClock.sleep(150);
    expect(seen.changes).toBe(2);
  });
});
