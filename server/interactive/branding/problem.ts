/** One thing that is wrong with a branding. A file with an error is not used: ours serves in its place. */
export interface BrandingProblem {
  readonly severity: 'error' | 'warning';
  /** As it stands in the folder or ConfigMap. */
  readonly file: string;
  /** From 1; absent where the whole file is meant. */
  readonly line?: number;
  /** What is wrong and what to do: a sentence. */
  readonly message: string;
}

/** Takes what is found on the way. */
export type Report = (problem: BrandingProblem) => void;

/** `theme.css:3: …`, as compilers and editors write places. */
export function formatProblem({ file, line, message }: BrandingProblem): string {
  return `${line === undefined ? file : `${file}:${line}`}: ${message}`;
}

/** The line, from 1, at which an offset of a text lies. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
