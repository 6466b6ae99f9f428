import { describe, expect, test } from '@jest/globals';
import { readManifest } from './manifest.ts';
import { ManifestErrors, problemLine } from './problems.ts';
import type { Problem } from './problems.ts';
import { rules } from './rules.ts';
import { testAnchor, yamlOf } from './test-manifest.ts';
import type { Loose } from './test-manifest.ts';
import { ruleCases as cases } from './testing/rule-cases.ts';

function manifestWith(bend: (spec: Loose) => void): string {
  const anchor = testAnchor();
  bend(anchor.spec);
  return yamlOf(anchor);
}

function problemsOf(text: string): readonly Problem[] {
  try {
    readManifest(text, 'anchor.yaml');
    return [];
  } catch (error) {
    if (error instanceof ManifestErrors) return error.problems;
    throw error;
  }
}

describe('rules between fields', () => {
  test('each one is in the table below', () => {
    expect(cases.map(({ rule }) => rule).sort()).toEqual([...new Set(rules.map(({ name }) => name))].sort());
  });

  test('a rule has one name and one sentence that ends', () => {
    const scoped = rules.map(({ name, scope }) => `${scope} ${name}`);
    expect(new Set(scoped).size).toBe(rules.length);
    for (const { message } of rules) expect(message).toMatch(/^[a-z].*\.$/s);
  });

  test.each(cases)('$rule speaks up alone, at its field', ({ rule, breaks, path, line }) => {
    const text = manifestWith(breaks);
    const problems = problemsOf(text);
    const message = rules.find(({ name }) => name === rule)!.message;
    expect(problems.map(problemLine)).toEqual([
      expect.stringMatching(new RegExp(`^anchor\\.yaml:\\d+: ${path.replace(/[[\].]/g, '\\$&')}: `)),
    ]);
    expect(problems[0]!.message.startsWith(message)).toBe(true);
    expect(text.split('\n')[problems[0]!.line - 1]).toMatch(line);
  });

  test.each(cases)('$rule lets the nearest right thing pass', ({ allows }) => {
    expect(problemsOf(manifestWith(allows)).map(problemLine)).toEqual([]);
  });

  test('TOML that does not parse is told by its own line and column, without its text', () => {
    const [problem] = problemsOf(manifestWith((spec) => (spec.toml = 'A = 1\nSECRET = = 2\n')));
    expect(problem!.message).toContain('line 2, column 10');
    expect(problem!.message).not.toContain('SECRET');
  });

  test('a rule that needs two sections keeps quiet while one of them does not fit the schema', () => {
    const text = manifestWith((spec) => {
      spec.network.name = 'publik';
      spec.database = { embedded: {} };
      spec.assets[0].deposit.min = '20000';
    });
    expect(problemsOf(text).map(({ path }) => path)).toEqual([
      'spec.network.name',
      'spec.assets[0].deposit.min',
    ]);
  });

  test('assets that fit the schema are compared although another does not', () => {
    const text = manifestWith((spec) => {
      const [first] = spec.assets;
      spec.assets = [first, { ...first, decimals: 8 }, first];
    });
    expect(problemsOf(text).map(({ path }) => path)).toEqual(['spec.assets[1].decimals', 'spec.assets[2]']);
  });
});
