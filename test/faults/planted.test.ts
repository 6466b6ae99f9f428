import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { HASTE, LEASE_HASTE, UPKEEP_HASTE } from './haste.ts';
import { MUTANTS } from './planted.ts';
import { patched } from './tree.ts';

const MAIN = fileURLToPath(new URL('../..', import.meta.url));

describe('planted bugs', () => {
  test('are ten at least, each with a name of its own', () => {
    const names = MUTANTS.filter(({ isHarmless }) => isHarmless !== true).map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(10);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each([...MUTANTS, { name: 'haste', patches: [...HASTE, UPKEEP_HASTE, ...LEASE_HASTE] }])(
    '$name finds its place in the sources of today',
    ({ patches }) => {
      const texts = new Map<string, string>();
      for (const patch of patches) {
        const text = texts.get(patch.file) ?? readFileSync(path.join(MAIN, patch.file), 'utf8');
        texts.set(patch.file, patched(text, patch));
      }
      for (const [file, text] of texts) expect(text).not.toBe(readFileSync(path.join(MAIN, file), 'utf8'));
    },
  );

  test('are refused when their place is gone, or there twice', () => {
    const patch = { file: 'a.ts', find: 'x', replace: 'y' };
    expect(patched('axb', patch)).toBe('ayb');
    expect(() => patched('ab', patch)).toThrow('a.ts has changed: what a mutant replaces is there 0 times');
    expect(() => patched('axbx', patch)).toThrow('2 times');
  });
});
