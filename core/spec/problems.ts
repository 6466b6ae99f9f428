import { CapstanError } from '../runtime/errors.ts';

/** Keys and indexes from the top of a document to a value: ['spec', 'assets', 1, 'code']. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with a manifest, said to the person who wrote it. Never holds a value of a Secret. */
export interface Problem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** `spec.assets[1].code`; empty where the text is no YAML at all. */
  readonly path: string;
  /** What is wrong and what to do. */
  readonly message: string;
}

const MOST_SHOWN = 50;

/** Everything that is wrong with a manifest at once, by line; the message has a line for each. */
export class ManifestErrors extends CapstanError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const sorted = problems.toSorted((a, b) => a.line - b.line || a.path.localeCompare(b.path, 'en'));
    const lines = sorted.slice(0, MOST_SHOWN).map(problemLine);
    if (sorted.length > MOST_SHOWN) lines.push(`… and ${sorted.length - MOST_SHOWN} more.`);
    super('invalid_manifest', lines.join('\n'));
    this.problems = sorted;
  }
}

/** `anchor.yaml:12: spec.assets[1].code: must be …` */
export function problemLine(problem: Problem): string {
  const place = `${problem.file}:${problem.line}: `;
  return place + (problem.path ? `${problem.path}: ${problem.message}` : problem.message);
}

/** `spec.assets[1].code`; a key with other characters stands in quotes: `data["ca.crt"]`. */
export function formatPath(path: Path): string {
  return path
    .map((part) => {
      if (typeof part === 'number') return `[${part}]`;
      return /^[A-Za-z_][\w-]*$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
    })
    .join('')
    .replace(/^\./, '');
}
