import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AlreadyRunning, lockFolder } from './lock.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'capstan-lock-'));
  file = path.join(folder, 'dev.pid');
});
afterEach(() => rm(folder, { recursive: true }));

test('of several at once one gets the folder', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(file, folder)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('it is free again once released', async () => {
  const release = await lockFolder(file, folder);
  await expect(lockFolder(file, folder)).rejects.toThrow(AlreadyRunning);
  await release();
  await (
    await lockFolder(file, folder)
  )();
});

test('what a process left behind whose pid is gone, or is another’s now, is taken over', async () => {
  for (const left of ['4194305 1', `${process.ppid} 1`]) {
    await writeFile(file, left);
    const release = await lockFolder(file, folder);
    expect(await readFile(file, 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+$`));
    await release();
  }
});
