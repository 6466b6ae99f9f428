import { IntlMessageFormat } from 'intl-messageformat';
import { messageOf } from '../../../core/runtime/errors.ts';
import { isRecord } from '../../../core/spec/guards.ts';
import { nearest } from '../../../core/spec/validate.ts';
import { lineAt, type Report } from './problem.ts';

export type Messages = Readonly<Record<string, string>>;

const MAX_CHARACTERS = 2_000;

/** What of a parsed message tells the names that it takes. */
interface Element {
  readonly type: number;
  readonly value?: string;
  readonly options?: Readonly<Record<string, { readonly value: readonly Element[] }>>;
}

const LITERAL = 0;
const SELECT = 5;
const POUND = 7;

/** The names that a message takes from outside, each once. @throws when it is no message */
export function placeholders(text: string): {
  readonly all: readonly string[];
  readonly shown: readonly string[];
} {
  const elements = (list: readonly Element[]): readonly Element[] =>
    list.flatMap((element) => [
      element,
      ...Object.values(element.options ?? {}).flatMap((option) => elements(option.value)),
    ]);
  const format = new IntlMessageFormat(text, 'en', undefined, { ignoreTag: true });
  const found = elements(format.getAst()).filter(({ type }) => type !== LITERAL && type !== POUND);
  const names = (list: readonly Element[]): string[] =>
    [...new Set(list.flatMap(({ value }) => (value === undefined ? [] : [value])))].sort();
  return { all: names(found), shown: names(found.filter(({ type }) => type !== SELECT)) };
}

/**
 * Reads the words of one language. A key that is not ours, no text, or a message that cannot be put together is left out
 * and reported with its line; the others are used.
 * @param ours the same language's, whose keys and values they replace
 */
export function readWords(file: string, text: string, ours: Messages, report: Report): Messages {
  const refuse = (message: string, line?: number): void =>
    report({ severity: 'error', file, message, ...(line !== undefined && { line }) });
  const value = parse(text, refuse);
  if (value === undefined) return {};
  const good = Object.entries(value).filter(([key, words]) => {
    const line = lineOfKey(text, key);
    const wrong = refusal(key, words, ours);
    if (wrong !== undefined) refuse(wrong, line);
    else warnOfMissing({ file, line, report }, { key, text: String(words), ours });
    return wrong === undefined;
  });
  return Object.fromEntries(good.map(([key, words]) => [key, String(words)]));
}

function parse(
  text: string,
  refuse: (message: string, line?: number) => void,
): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
    refuse('must be one object of texts: { "key": "words" }.', 1);
  } catch (error) {
    const said = messageOf(error);
    const [, line] = /\(line (\d+) column \d+\)/.exec(said) ?? [];
    const [, position] = /at position (\d+)/.exec(said) ?? [];
    const at = line ?? (position === undefined ? undefined : lineAt(text, Number(position)));
    // Node says "Unexpected end" without a place.
    refuse(
      'cannot be read as JSON: look for a comma or quote at this line or above it.',
      Number(at ?? text.trimEnd().split('\n').length),
    );
  }
  return undefined;
}

/** Why a text cannot be used. */
function refusal(key: string, words: unknown, ours: Messages): string | undefined {
  if (!Object.hasOwn(ours, key)) {
    const near = nearest(key, Object.keys(ours));
    return `"${key.slice(0, 80)}" is no key of the pages: ${near === undefined ? 'docs/branding.md lists them' : `did you mean "${near}"`}.`;
  }
  if (typeof words !== 'string') return `"${key}" must be text: put it in quotes.`;
  if (words.length > MAX_CHARACTERS) return `"${key}" is longer than ${MAX_CHARACTERS} characters.`;
  try {
    const known = placeholders(ours[key] ?? '').all;
    const unknown = placeholders(words).all.filter((name) => !known.includes(name));
    if (unknown.length === 0) return undefined;
    const offer = known.length === 0 ? 'none' : known.map((name) => `{${name}}`).join(', ');
    return `"${key}" uses ${unknown.map((name) => `{${name}}`).join(', ')}, which it is not given; it may use ${offer}.`;
  } catch {
    return `"${key}" has a broken placeholder: check its braces ({name}, or {n, plural, one {…} other {…}}).`;
  }
}

interface Place {
  readonly file: string;
  readonly line: number | undefined;
  readonly report: Report;
}

/** What ours says and theirs does not: an amount that is left out is mostly a slip. */
function warnOfMissing(
  { file, line, report }: Place,
  { key, text, ours }: { readonly key: string; readonly text: string; readonly ours: Messages },
): void {
  const given = placeholders(text).all;
  const missing = placeholders(ours[key] ?? '').shown.filter((name) => !given.includes(name));
  if (missing.length === 0) return;
  const message = `"${key}" leaves out ${missing.map((name) => `{${name}}`).join(', ')}, which ours says.`;
  report({ severity: 'warning', file, message, ...(line !== undefined && { line }) });
}

function lineOfKey(text: string, key: string): number | undefined {
  const written = JSON.stringify(key).replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const match = new RegExp(`${written}\\s*:`).exec(text);
  return match ? lineAt(text, match.index) : undefined;
}
