import * as z from 'zod';
import type { Path } from './problems.ts';

/** One thing wrong, before it is given its line. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** Whether the line of the key is meant (an unknown key), not that of its value. */
  readonly key?: 'key';
}

/** The parts of a JSON Schema that zod emits for the spec and that we read. */
export interface JsonSchema {
  readonly type?: string;
  /** Name of a kind of text: amount, duration, host. */
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/**
 * Checks a value against a schema; answers its value with every default, or everything that is wrong with it, one
 * finding a field, as sentences that never repeat the value (it may be a secret in the wrong place).
 */
export function validate<T extends z.ZodType>(
  schema: T,
  value: unknown,
): { readonly value: z.output<T> } | { readonly findings: readonly Finding[] } {
  // Most processes read one manifest in their life: functions that zod would generate for it cost more than they save.
  const parsed = schema.safeParse(value, { reportInput: true, jitless: true });
  if (parsed.success) return { value: parsed.data };
  // Costs milliseconds, and a right manifest never comes here.
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const seen = new Set<string>();
  const findings = parsed.error.issues
    .flatMap((issue) => findingsOf(issue, shape))
    .filter(({ path }) => {
      const key = JSON.stringify(path);
      return !seen.has(key) && seen.add(key);
    });
  return { findings };
}

const MOST_ADVISED = 100;

function findingsOf(issue: z.core.$ZodIssue, shape: JsonSchema): readonly Finding[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code !== 'unrecognized_keys')
    return [{ path, message: finished(sentence(issue, schemaAt(shape, path))) }];
  const known = Object.keys(schemaAt(shape, path)?.properties ?? {});
  return issue.keys.map((key, index) => {
    // Resemblance is worth its time for a slip of the hand, not for a thousand fields.
    const near = index < MOST_ADVISED ? nearest(key, known) : undefined;
    const advice = near ? `did you mean ${near}?` : `take it out, or use one of ${known.join(', ')}.`;
    return { path: [...path, key], key: 'key', message: `is not a field: ${advice}` };
  });
}

/** With the full stop that messages of schemas leave out. */
function finished(words: string): string {
  return /[.?]$/.test(words) ? words : `${words}.`;
}

/** What is wrong, for a reader who wrote YAML and knows no zod. Messages of our own schemas pass through. */
function sentence(issue: z.core.$ZodIssue, shape: JsonSchema | undefined): string {
  if (issue.code === 'invalid_type') return typeSentence(issue, shape);
  if (issue.code === 'invalid_value') return valueSentence(issue);
  if (issue.code === 'too_small' || issue.code === 'too_big') return boundSentence(issue);
  return issue.message;
}

function typeSentence(issue: z.core.$ZodIssueInvalidType, shape: JsonSchema | undefined): string {
  const wanted = TYPES[issue.expected] ?? issue.expected;
  if (issue.input === undefined) return `is missing: ${missing(shape)}`;
  if (issue.input === null) return `is empty: write ${wanted}, or take the line out`;
  if (issue.expected === 'string' && ['number', 'boolean'].includes(typeof issue.input)) {
    return 'must be text: put it in quotes';
  }
  if (issue.expected === 'boolean') return 'must be true or false, without quotes';
  if (issue.expected === 'int' || issue.expected === 'number')
    return 'must be a whole number, without quotes';
  return `must be ${wanted}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a map of fields (name: value)',
  record: 'a map of names to texts',
  array: 'a list (lines that start with "- ")',
};

function missing(shape: JsonSchema | undefined): string {
  const description = shape?.description;
  if (!description) return 'add it';
  return `add it. ${description.replace(/\.$/, '')}`;
}

function valueSentence(issue: z.core.$ZodIssueInvalidValue): string {
  const options = issue.values.map(String);
  if (issue.input === undefined) return `is missing: write ${options.join(' or ')}`;
  if (options.length === 1) return `must be ${options.join('')}`;
  const near = typeof issue.input === 'string' ? nearest(issue.input, options) : undefined;
  const list = `must be one of ${options.join(', ')}`;
  return near === undefined ? list : `${list}; did you mean ${near}?`;
}

function boundSentence(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const isOwn = !/^(Too (small|big)|Invalid)/.test(issue.message);
  if (isOwn) return issue.message;
  const [bound, side] =
    issue.code === 'too_small' ? [issue.minimum, 'at least'] : ([issue.maximum, 'at most'] as const);
  if (issue.origin === 'string')
    return bound === 1
      ? 'is empty: write a value, or take the line out'
      : `must have ${side} ${bound} characters`;
  if (issue.origin === 'array') return `must have ${side} ${bound} entries`;
  return `must be ${side} ${bound}`;
}

/** The schema of the field at a path. */
export function schemaAt(shape: JsonSchema, path: Path): JsonSchema | undefined {
  let at: JsonSchema | undefined = shape;
  for (const part of path) {
    if (typeof part === 'number') at = at?.items;
    else if (at?.properties && Object.hasOwn(at.properties, part)) at = at.properties[part];
    else at = typeof at?.additionalProperties === 'object' ? at.additionalProperties : undefined;
  }
  return at;
}

/** The candidate that most resembles a word, if it is near enough to be a slip of the hand. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.slice(0, 64).toLowerCase();
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(lower, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const cell = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const best = Math.min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + (isSame ? 0 : 1));
      rows[i]?.push(isSwap ? Math.min(best, cell(i - 2, j - 2) + 1) : best);
    }
  }
  return cell(a.length, b.length);
}
