import path from 'node:path';

export const PASSES = ['together', 'alone'] as const;

/** Some of the suite's files, which one run of Jest takes. */
export interface Pass {
  readonly name: (typeof PASSES)[number];
  readonly files: readonly string[];
  /** How many of them run side by side. */
  readonly workers: number;
}

/** They stop what all anchors of a cluster share: the operator, its chart, the kubelet. */
const ALONE: ReadonlySet<string> = new Set(['kills', 'reinstall', 'upgrade']);

/**
 * Files whose anchors are in namespaces of their own run side by side; the others follow, each with the cluster for itself.
 * @param only a regular expression of their names
 * @param workers how many files run side by side
 * @returns passes that have files
 */
export function planPasses(files: readonly string[], only: string, workers: number): readonly Pass[] {
  const chosen = files.filter((file) => new RegExp(only, 'i').test(nameOf(file))).toSorted();
  const isAlone = (file: string): boolean => ALONE.has(nameOf(file));
  const passes: readonly Pass[] = [
    { name: 'together', files: chosen.filter((file) => !isAlone(file)), workers },
    { name: 'alone', files: chosen.filter(isAlone), workers: 1 },
  ];
  return passes.filter((pass) => pass.files.length > 0);
}

const nameOf = (file: string): string => path.basename(file, '.real.test.ts');
