import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { DOCKERFILES, revisionOf } from './images.ts';
import { run } from './run.ts';

test('an image is labelled with the revision of its own source; a folder without a history has none', async () => {
  const source = mkdtempSync(path.join(tmpdir(), 'capstan-source-'));
  expect(await revisionOf(source)).toEqual({});
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], { cwd: source });
  await git('init', '--quiet');
  await git('commit', '--quiet', '--allow-empty', '--message', 'first');
  expect(await revisionOf(source)).toEqual({ REVISION: (await git('rev-parse', 'HEAD')).trim() });
  const inside = path.join(source, 'inside');
  await mkdir(inside);
  expect(await revisionOf(inside)).toEqual({});
  rmSync(source, { recursive: true });
});

test('both images install their packages by the same lines, so that one layer of them serves both', () => {
  const [ours, banks] = Object.values(DOCKERFILES).map((file) => {
    const lines = readFileSync(file, 'utf8').split('\n');
    const isStart = (line: string) => line.startsWith('FROM ${BUILD_IMAGE}');
    const isInstall = (line: string) => line.startsWith('RUN npm install');
    return lines.slice(lines.findIndex(isStart), lines.findIndex(isInstall) + 1);
  });
  expect(ours!.length).toBeGreaterThan(5);
  expect(banks).toEqual(ours);
});
