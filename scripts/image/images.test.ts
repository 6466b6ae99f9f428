import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { revisionOf } from './images.ts';
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
