import { describe, expect, test } from '@jest/globals';
import { planPasses } from './passes.ts';

const FILES = ['upgrade', 'anchor', 'kills', 'reinstall', 'policies'].map(
  (name) => `test/cluster/real/${name}.real.test.ts`,
);

describe('planPasses', () => {
  test('has files that stop the operator or the kubelet follow the others, one at a time', () => {
    const passes = planPasses(FILES, '', 2);
    expect(passes.map(({ name, workers, files }) => [name, workers, files.map(nameOf)])).toEqual([
      ['together', 2, ['anchor', 'policies']],
      ['alone', 1, ['kills', 'reinstall', 'upgrade']],
    ]);
  });

  test('leaves out a pass for which nothing was chosen', () => {
    expect(planPasses(FILES, 'anchor', 2).map(({ name }) => name)).toEqual(['together']);
    expect(planPasses(FILES, '(kills|upgrade)', 2).map(({ files }) => files.map(nameOf))).toEqual([
      ['kills', 'upgrade'],
    ]);
    expect(planPasses(FILES, 'nothing of that name', 2)).toEqual([]);
    expect(planPasses(FILES, 'cluster', 2)).toEqual([]);
  });
});

const nameOf = (file: string): string => file.replace(/^.*\/|\.real\.test\.ts$/g, '');
