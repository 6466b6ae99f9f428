import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Document, ErrorCode, Node, Pair, YAMLMap } from 'yaml';
import { messageOf } from '../runtime/errors.ts';
import { ManifestErrors } from './problems.ts';
import type { Path, Problem } from './problems.ts';

/** kubectl and etcd refuse more too. */
const MOST_BYTES = 1_048_576;
const MOST_DOCUMENTS = 256;
const MOST_ALIASES = 100;
/** An Anchor with all 32 assets has about a thousand. */
const MOST_VALUES = 20_000;
/** Levels of maps and lists; a manifest has about ten. */
const DEEPEST = 64;

/** One document of a YAML stream: its plain value, and the line at which any part of it stands. */
export interface SourceDocument {
  readonly value: unknown;
  /** Line of the value at a path, or of its nearest ancestor that is written; `key` asks for the line of its key. */
  readonly lineOf: (path: Path, key?: 'key') => number;
}

/**
 * Reads a YAML stream as `kubectl` does: documents between `---`, empty ones skipped.
 * @throws {ManifestErrors} with every syntax error, for duplicate keys, tabs, unknown tags, text beyond 1 MiB, nesting
 * beyond 64 levels, and aliases that expand without measure.
 */
export function readSource(text: string, file: string): readonly SourceDocument[] {
  const refuse = (message: string, line = 1): never => {
    throw new ManifestErrors([{ file, line, path: '', message }]);
  };
  if (Buffer.byteLength(text) > MOST_BYTES) refuse('the file is larger than 1 MiB: split it.');
  const lines = new LineCounter();
  const documents = parseDocuments(text, lines);
  if (documents.length > MOST_DOCUMENTS) refuse(`holds more than ${MOST_DOCUMENTS} documents: split it.`);
  const problems = documents.flatMap((document) => syntaxProblems(document, file, lines));
  if (problems.length > 0) throw new ManifestErrors(problems);
  return documents
    .map((document) => {
      const lineOf = (path: Path, key?: 'key'): number => lineAt(document, path, key, lines);
      const plain = plainValue(document);
      return 'refusal' in plain ? refuse(plain.refusal, lineOf([])) : { value: plain.value, lineOf };
    })
    .filter(({ value }) => value !== null);
}

function parseDocuments(text: string, lines: LineCounter): readonly Document.Parsed[] {
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    // The library compares each key with all before it: minutes for a map of 60,000 (repeatedKeys does it instead).
    uniqueKeys: false,
    stringKeys: true,
    merge: true,
  });
  return Array.isArray(parsed) ? parsed : [];
}

const TOO_MUCH = `is nested deeper than ${DEEPEST} levels, holds more than ${MOST_VALUES} values, or its aliases (*name) expand beyond that or into themselves: take out what is too much, or write the values out.`;

/** What the library throws for, when it puts aliases and merges together; by the start of its message. */
const REFUSALS = [
  [
    'Unresolved alias',
    'refers (*name) to an anchor (&name) that does not stand above it: write the value out.',
  ],
  ['Merge sources must be', 'merges (<<) something that is no map: merge a map, or take the line out.'],
] as const;

/** The value without nodes, unless its aliases lead nowhere or make it endless or huge. */
function plainValue(document: Document.Parsed): { readonly value: unknown } | { readonly refusal: string } {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    if (isMeasured(value)) return { value };
  } catch (error) {
    const known = REFUSALS.find(([start]) => messageOf(error).startsWith(start));
    if (known) return { refusal: known[1] };
    // Too many aliases (ReferenceError) or too many levels (RangeError) for the library itself.
    if (!(error instanceof ReferenceError) && !(error instanceof RangeError)) throw error;
  }
  return {
    refusal: TOO_MUCH,
  };
}

/** Whether a value has an end within the bounds; an alias within its own anchor has none. */
function isMeasured(value: unknown): boolean {
  let count = 0;
  const measure = (part: unknown, depth: number): boolean => {
    if (++count > MOST_VALUES || depth > DEEPEST) return false;
    if (typeof part !== 'object' || part === null) return true;
    return Object.values(part).every((child) => measure(child, depth + 1));
  };
  return measure(value, 0);
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: 'the same key stands twice in one map: keep one of them.',
  TAB_AS_INDENT: 'a tab indents this line: YAML wants blanks.',
  BAD_INDENT: 'the indentation fits no line above: align it with its neighbours.',
  TAG_RESOLVE_FAILED: 'has a tag (!…) that YAML itself does not know: take it out.',
  NON_STRING_KEY: 'has a key that is not text: put the key in quotes.',
  BLOCK_AS_IMPLICIT_KEY: 'has two keys on one line: put a text with ": " in quotes, or start a new line.',
};

/** One problem a line: what follows on the same line is mostly an echo of the first. */
function syntaxProblems(document: Document.Parsed, file: string, lines: LineCounter): readonly Problem[] {
  const byLine = new Map<number, Problem>();
  const tell = (offset: number, message: string): void => {
    const line = Math.max(lines.linePos(offset).line, 1);
    if (!byLine.has(line)) byLine.set(line, { file, line, path: '', message });
  };
  for (const error of [...document.errors, ...document.warnings]) tell(error.pos[0], adviceOn(error));
  // What cannot be read may be too deep to be walked through.
  if (byLine.size === 0)
    for (const offset of repeatedKeys(document)) tell(offset, ADVICE.DUPLICATE_KEY ?? '');
  return [...byLine.values()];
}

function adviceOn(error: Document.Parsed['errors'][number] | Document.Parsed['warnings'][number]): string {
  // The library caught its own overflow.
  if (messageOf(error).startsWith('Maximum call stack')) return TOO_MUCH;
  return ADVICE[error.code] ?? `cannot be read as YAML: ${messageOf(error)}.`;
}

/** Where keys stand that the same map has already. */
function repeatedKeys(document: Document.Parsed): readonly number[] {
  const repeated: number[] = [];
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) repeated.push(key.range?.[0] ?? 0);
        seen.add(key.value);
      }
    },
  });
  return repeated;
}

function lineAt(
  document: Document.Parsed,
  path: Path,
  wanted: 'key' | undefined,
  lines: LineCounter,
): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? document.range[0];
  for (const [index, part] of path.entries()) {
    const step = childOf(document, node, part);
    if (!step) break;
    node = step.value;
    const isKey = wanted === 'key' && index === path.length - 1;
    offset = (isKey ? step.keyOffset : (node?.range?.[0] ?? step.keyOffset)) ?? offset;
  }
  return Math.max(lines.linePos(offset).line, 1);
}

function childOf(
  document: Document.Parsed,
  parent: Node | null | undefined,
  part: string | number,
): { readonly value: Node | null; readonly keyOffset: number | undefined } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq<Node>(node)) {
    const value = node.items[Number(part)];
    return value ? { value, keyOffset: value.range?.[0] } : undefined;
  }
  if (!isMap<Node, Node>(node)) return undefined;
  const pair = pairsOf(node).get(String(part));
  return pair ? { value: pair.value, keyOffset: pair.key.range?.[0] } : undefined;
}

type Pairs = ReadonlyMap<string, Pair<Node, Node>>;
/** Of the maps that were looked into: a map of thousands of keys may be wrong in each of them. */
const indexed = new WeakMap<YAMLMap<Node, Node>, Pairs>();

function pairsOf(node: YAMLMap<Node, Node>): Pairs {
  const known = indexed.get(node);
  if (known) return known;
  const pairs = new Map(
    node.items.flatMap((pair) => (isScalar(pair.key) ? [[String(pair.key.value), pair] as const] : [])),
  );
  indexed.set(node, pairs);
  return pairs;
}
