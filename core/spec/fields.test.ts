import { describe, expect, test } from '@jest/globals';
import { readManifest } from './manifest.ts';
import { ManifestErrors } from './problems.ts';
import type { Problem } from './problems.ts';
import { testAnchor, yamlOf } from './test-manifest.ts';
import { fieldCases, refusedByBoth, setAt } from './testing/field-cases.ts';

function problemsWith(path: string, value: unknown): readonly Problem[] {
  const anchor = testAnchor();
  setAt(anchor, path, value);
  try {
    readManifest(yamlOf(anchor), 'anchor.yaml');
    return [];
  } catch (error) {
    if (error instanceof ManifestErrors) return error.problems;
    throw error;
  }
}

describe('bounds of single fields', () => {
  test.each(fieldCases)('$path: just beyond is refused with "$message"', ({ path, wrong, message }) => {
    expect(problemsWith(path, wrong).map((one) => [one.path, one.message])).toEqual([[path, `${message}.`]]);
  });

  test.each(fieldCases)('$path: the last right one passes (not "$message")', ({ path, right }) => {
    expect(problemsWith(path, right)).toEqual([]);
  });

  test.each(refusedByBoth)('%s: %j is refused', (path, wrong) => {
    expect(problemsWith(path, wrong)[0]?.path.startsWith(path)).toBe(true);
  });
});
