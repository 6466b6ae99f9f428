import type { Liquid } from 'liquidjs';
import { messageOf } from '../../../core/runtime/errors.ts';
import { nearest } from '../../../core/spec/validate.ts';
import { lineAt, type BrandingProblem } from './problem.ts';

/** Templates by name, without `.liquid`. */
export type Templates = ReadonlyMap<string, string>;

export interface TemplateCheck {
  /** Where the template stands, for messages. */
  readonly file: string;
  readonly name: string;
  readonly text: string;
  readonly ours: Templates;
  /** All of theirs, this one too. */
  readonly theirs: Templates;
  /** With all templates in it, theirs before ours. */
  readonly engine: Liquid;
  readonly hasWords: (key: string) => boolean;
  readonly hasFile: (name: string) => boolean;
}

/** What is wrong with one template: its name, its syntax, what it refers to. Nothing is drawn. */
export function checkTemplate(check: TemplateCheck): readonly BrandingProblem[] {
  const { file } = check;
  const at = (message: string, line?: number): BrandingProblem => ({
    severity: 'error',
    file,
    message,
    ...(line !== undefined && { line }),
  });
  const strange = unusedName(check);
  if (strange !== undefined) return [at(strange)];
  try {
    // Follows every {% render %} and {% layout %} that is named in the template.
    check.engine.analyzeSync(check.engine.parse(check.text, `${check.name}.liquid`), { partials: true });
  } catch (error) {
    const { message, line, missing } = readLiquidError(error);
    return [at(message, line ?? (missing === undefined ? undefined : lineOfName(check.text, missing)))];
  }
  const lineOf = (index: number): number => lineAt(check.text, index);
  return [
    ...unknownNames(check.text, /'([^'\n]*)'\s*\|\s*t\b/g, check.hasWords).map(({ name, index }) =>
      at(`'${name}' is no key of the pages' words: docs/branding.md lists them.`, lineOf(index)),
    ),
    ...unknownNames(check.text, /'([^'\n]*)'\s*\|\s*asset\b/g, check.hasFile).map(({ name, index }) =>
      at(`'${name}' is no file of the branding or of ours: add it, or correct its name.`, lineOf(index)),
    ),
  ];
}

/** A template that neither replaces one of ours nor is used by another of theirs: a slip of the hand. */
function unusedName({ name, ours, theirs }: TemplateCheck): string | undefined {
  if (ours.has(name)) return undefined;
  const isUsed = [...theirs].some(([other, text]) => other !== name && refersTo(text, name));
  if (isUsed) return undefined;
  const near = nearest(name, [...ours.keys()]);
  return `replaces no template, and none of yours renders it: ${near === undefined ? `there are ${[...ours.keys()].join(', ')}` : `did you mean ${near}.liquid`}.`;
}

/** Of a lookup LiquidJS tells no line. */
function lineOfName(text: string, name: string): number | undefined {
  const found = ["'", '"']
    .map((quote) => text.indexOf(`${quote}${name}${quote}`))
    .find((index) => index >= 0);
  return found === undefined ? undefined : lineAt(text, found);
}

const refersTo = (text: string, name: string): boolean =>
  ["'", '"'].some((quote) => text.includes(`${quote}${name}${quote}`));

function unknownNames(
  text: string,
  pattern: RegExp,
  isKnown: (name: string) => boolean,
): readonly { readonly name: string; readonly index: number }[] {
  return [...text.matchAll(pattern)].flatMap(({ 1: name = '', index }) =>
    isKnown(name) ? [] : [{ name, index }],
  );
}

/** LiquidJS ends its sentences with ", file:…, line:…, col:…", and quotes the template below. */
export function readLiquidError(error: unknown): {
  readonly message: string;
  /** The template that could not be found. */
  readonly missing?: string;
  readonly line?: number;
  readonly file?: string;
} {
  const [said = ''] = messageOf(error).split('\n');
  if (said.startsWith('Maximum call stack')) return { message: 'renders itself, without an end.' };
  const [, what = said, file, line] = /^(.*?)(?:, file:(.*?))?, line:(\d+), col:\d+$/.exec(said) ?? [];
  const lookup = /Failed to lookup "(.*?)"/.exec(what)?.[1];
  const message = lookup === undefined ? `${what.replace(/\.$/, '')}.` : `there is no template "${lookup}".`;
  return {
    message,
    ...(lookup !== undefined && { missing: lookup }),
    ...(line !== undefined && { line: Number(line) }),
    ...(file !== undefined && { file }),
  };
}
