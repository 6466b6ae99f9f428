import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../../../test/support/eventually.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { readBuiltIn } from '../built-in.ts';
import type { Branding } from './branding.ts';
import { followBranding } from './follow.ts';

let folder: string;
let stop: AbortController;
let worn: Branding[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'brand-'));
  stop = new AbortController();
  worn = [];
});
afterEach(async () => {
  stop.abort();
  await rm(folder, { recursive: true });
});

const follow = (): Promise<void> =>
  followBranding({
    folder,
    builtIn: readBuiltIn(),
    clock: systemClock,
    log: createLog({ name: 'test', level: 'silent' }),
    signal: stop.signal,
    pollMs: 200,
    wear: (branding) => void worn.push(branding),
  });
const closing = (): string | undefined => worn.at(-1)?.words.get('en')?.['action.close'];

/** A version of a ConfigMap, as Kubernetes puts it in place: one rename of a link. */
async function mount(version: string, words: string): Promise<void> {
  await mkdir(path.join(folder, `..${version}`));
  await writeFile(path.join(folder, `..${version}`, 'en.json'), words);
  await symlink(`..${version}`, path.join(folder, `..tmp`));
  await rename(path.join(folder, '..tmp'), path.join(folder, '..data'));
}

test('a ConfigMap that changes is worn without a restart, broken or not', async () => {
  await mount('one', '{"action.close": "One"}');
  await symlink('..data/en.json', path.join(folder, 'en.json'));
  await follow();
  expect(closing()).toBe('One');
  await mount('two', '{"action.close": "Two"}');
  await eventually('the second is worn', () => closing() === 'Two', 20_000);
  await mount('three', '{"action.close": }');
  await eventually('the third is looked at', () => worn.at(-1)?.problems.length === 1, 20_000);
  expect(closing()).toBeUndefined();
}, 60_000);

test('a ConfigMap that comes later is worn when it comes, and a folder that is not there is refused', async () => {
  await follow();
  expect(worn.at(-1)).toMatchObject({ files: [], problems: [] });
  await mkdir(path.join(folder, 'locales'));
  await writeFile(path.join(folder, 'locales', 'en.json'), '{"action.close": "Late"}');
  await eventually('it is worn', () => closing() === 'Late', 20_000);
  folder = await mkdtemp(path.join(tmpdir(), 'brand-'));
  await rm(folder, { recursive: true });
  await expect(follow()).rejects.toThrow(/cannot be read/);
  await mkdir(folder);
}, 60_000);
