import { mkdir, mkdtemp, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../test/support/eventually.ts';
import { systemClock } from './clock.ts';
import { createLog } from './log.ts';
import { watchFiles } from './watch-file.ts';

const log = createLog({ name: 'test', level: 'silent' });
let folder: string;
let stop: AbortController;
/** `contents`: what the first file held whenever a change was told. */
const seen = { changes: 0, contents: [] as string[] };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-watch-'));
  stop = new AbortController();
  seen.changes = 0;
  seen.contents = [];
});
afterEach(async () => {
  stop.abort();
  await rm(folder, { recursive: true });
});

const start = (names: string[], pollMs = 60_000): Promise<void> =>
  watchFiles({
    paths: names.map((name) => join(folder, name)),
    onChange: async () => {
      seen.contents.push(await readFile(join(folder, names[0] ?? ''), 'utf8'));
      seen.changes += 1;
    },
    signal: stop.signal,
    clock: systemClock,
    log,
    pollMs,
    settleMs: 20,
  });

/** How many changes were told once there were `enough`, or twenty seconds later. */
async function told(enough: number): Promise<number> {
  const deadline = Date.now() + 20_000;
  while (seen.changes < enough && Date.now() < deadline) await systemClock.sleep(20);
  return seen.changes;
}

/** What was told until a change to `last` was, which therefore holds whatever was told before it without a reason. */
async function toldUntil(last: string): Promise<readonly string[]> {
  await eventually(`a change to ${last} is told`, () => seen.contents.at(-1) === last, 20_000);
  return seen.contents;
}

describe('watchFiles', () => {
  test('waits for writers only when something has changed, and not at every look', async () => {
    const slept: number[] = [];
    const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
      slept.push(ms);
      return systemClock.sleep(ms, signal);
    };
    const [paths, onChange] = [[join(folder, 'a')], () => void (seen.changes += 1)];
    const timing = { clock: { ...systemClock, sleep }, pollMs: 5, settleMs: 20 };
    await watchFiles({ paths, onChange, signal: stop.signal, log, ...timing });
    await eventually('it has looked ten times', () => slept.length > 10);
    expect(new Set(slept)).toEqual(new Set([5]));
    await writeFile(join(folder, 'a'), '1');
    expect(await told(1)).toBe(1);
    expect(slept).toContain(20);
  });

  test('notices a file of the same size and date, long after it was read last', async () => {
    const file = join(folder, 'a');
    await writeFile(file, '1');
    const date = new Date('2026-01-01T00:00:00Z');
    await utimes(file, date, date);
    let looks = 0;
    // Each look ten seconds after the one before it.
    const clock = { ...systemClock, monotonic: () => 10_000 * looks++ };
    const onChange = (): void => void (seen.changes += 1);
    await watchFiles({ paths: [file], onChange, signal: stop.signal, log, clock, pollMs: 5, settleMs: 20 });
    await eventually('it has looked ten times', () => looks > 10);
    expect(seen.changes).toBe(0);
    await writeFile(file, '2');
    await utimes(file, date, date);
    expect(await told(1)).toBe(1);
  });

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
    for (const version of ['v1', 'v2', 'v3']) {
      await mkdir(join(folder, version));
      for (const name of ['tls.crt', 'tls.key']) await writeFile(join(folder, version, name), version + name);
    }
    await symlink('v1', join(folder, '..data'));
    for (const name of ['tls.crt', 'tls.key']) await symlink(join('..data', name), join(folder, name));
    await start(['tls.crt', 'tls.key']);
    for (const version of ['v2', 'v3']) {
      await symlink(version, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
      await toldUntil(`${version}tls.crt`);
    }
    expect(seen.contents).toEqual(['v2tls.crt', 'v3tls.crt']);
  });

  test('notices a file that appears, and does not tell of one that is only touched', async () => {
    await start(['a']);
    await writeFile(join(folder, 'a'), '1');
    expect(await told(1)).toBe(1);
    await utimes(join(folder, 'a'), new Date(), new Date());
    await systemClock.sleep(150);
    await writeFile(join(folder, 'a'), '2');
    expect(await toldUntil('2')).toEqual(['1', '2']);
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
    // One that goes on, and takes longer, says when the stopped one would have told of it.
    const noticed = Promise.withResolvers<void>();
    const witness = new AbortController();
    await watchFiles({
      paths: [join(folder, 'a')],
      onChange: () => noticed.resolve(),
      signal: witness.signal,
      clock: systemClock,
      log,
      settleMs: 200,
    });
    await writeFile(join(folder, 'a'), '4');
    await noticed.promise;
    witness.abort();
    expect(seen.changes).toBe(2);
  });
});
