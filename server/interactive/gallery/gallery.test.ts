import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { field, formPage } from '../../../core/integration/contract/form.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { STATUSES } from '../../../core/transaction/status.ts';
import { composeBranding, NO_BRANDING } from '../branding/branding.ts';
import { schemesOf } from '../branding/contrast.ts';
import { formatProblem } from '../branding/problem.ts';
import { readBuiltIn } from '../built-in.ts';
import { LANGUAGES } from '../locale.ts';
import { brandingPage, PROPERTIES } from './branding-page.ts';
import { ENTRIES } from './entries.ts';
import { createGallery, drawAll, type Drawn, type Gallery } from './gallery.ts';
import { sampleAnchor } from './sample-anchor.ts';
import { cardPage, detailsPage, documentsPage, personPage } from './sample-forms.ts';
import { variablesOf } from './variables.ts';

const FOLDER = path.join(import.meta.dirname, '..');
const builtIn = readBuiltIn();
const log = createLog({ name: 'test', level: 'silent' });
const open = (branding = NO_BRANDING): Gallery =>
  createGallery({ anchor: sampleAnchor(), branding, builtIn, clock: systemClock, log });
const gallery = open();
const drawn = new Map<string, Drawn>();
beforeAll(async () => {
  for (const lang of LANGUAGES) {
    for (const entry of ENTRIES) drawn.set(`${entry.id} ${lang}`, await gallery.look(entry, lang));
  }
});

describe('the gallery', () => {
  test.each(LANGUAGES)('draws every page in %s, with the status that the real page has', (lang) => {
    for (const { id, status } of ENTRIES) {
      const { html, status: answered } = drawn.get(`${id} ${lang}`)!;
      expect([id, answered]).toEqual([id, status]);
      expect(html).toContain(`<html lang="${lang}" dir="${lang === 'ar' ? 'rtl' : 'ltr'}">`);
      expect(html.match(/<h1/g)).toHaveLength(1);
      expect(html).not.toMatch(/\bundefined\b|\[object |\bNaN\b|Invalid Date/);
    }
  });

  test('has every status, every error and every kind of field', () => {
    const ids = ENTRIES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const status of STATUSES) expect(ids).toContain(`deposit-${status.replaceAll('_', '-')}`);
    const errors = Object.keys(builtIn.words.get('en')!).flatMap(
      (key) => /^error\.([a-z_]+)\.title$/.exec(key)?.[1]?.replaceAll('_', '-') ?? [],
    );
    expect(errors.length).toBeGreaterThan(8);
    for (const error of errors) expect(ids).toContain(`error-${error}`);
    const pages = [personPage, detailsPage, documentsPage, cardPage].map((page) => page((phrase) => phrase));
    for (const page of pages) expect(formPage.safeParse(page).error).toBeUndefined();
    const shown = new Set(pages.flatMap(({ fields }) => fields.map(({ type }) => type)));
    const known = field.options.map(({ shape }) => shape.type.value);
    expect(known.filter((type) => !shown.has(type))).toEqual([]);
  });

  test.each(LANGUAGES)('in %s no page weighs more than 40 KB with style and scripts', (lang) => {
    const sizes = new Map(
      readdirSync(path.join(FOLDER, 'static')).map((name) => [
        name,
        brotliCompressSync(readFileSync(path.join(FOLDER, 'static', name))).length,
      ]),
    );
    for (const { id } of ENTRIES) {
      const { html } = drawn.get(`${id} ${lang}`)!;
      const named = [...html.matchAll(/(?:href|src)="\/sep24\/assets\/([a-z-]+)\.[0-9a-f]+\.(css|js)/g)];
      const files = named.map(([, name, kind]) => sizes.get(`${name}.${kind}`) ?? Number.NaN);
      expect(files.length).toBeGreaterThan(0);
      // A page itself travels as it is: compressed, its secret could be guessed by its length (BREACH).
      const all = Buffer.byteLength(html) + files.reduce((sum, size) => sum + size, 0);
      expect([id, all <= 40 * 1024]).toEqual([id, true]);
    }
  });

  test('comes by every whole page of the templates', () => {
    const whole = readdirSync(path.join(FOLDER, 'templates')).filter((name) =>
      readFileSync(path.join(FOLDER, 'templates', name), 'utf8').startsWith("{% layout 'layout' %}"),
    );
    const used = new Set([...drawn.values()].map(({ page }) => `${page?.template}.liquid`));
    expect([...used].toSorted()).toEqual(whole.toSorted());
  });

  test('is drawn by a branding, and finds what only drawing shows', async () => {
    const compose = (name: string, text: string) =>
      composeBranding({ files: [{ name, path: name, content: Buffer.from(text) }], problems: [] }, builtIn);
    expect(await drawAll(open(compose('en.json', '{"action.back": "Return"}')), ['en'])).toEqual([]);
    const problems = await drawAll(open(compose('review.liquid', '{{ title }}\n{% render partial %}')), [
      'en',
    ]);
    expect(problems.map(formatProblem)).toEqual([expect.stringMatching(/^review\.liquid:2: /)]);
  });
});

test('docs/branding.md lists every property, variable and word, as they are', async () => {
  const written = readFileSync(path.join(FOLDER, '../../docs/branding.md'), 'utf8');
  expect(brandingPage(written, builtIn, await variablesOf(gallery))).toBe(written);
  const [light] = schemesOf([builtIn.sheet]);
  expect(Object.keys(PROPERTIES)).toEqual([...light.properties.keys()]);
});

describe('the words of the pages', () => {
  test('no template and no script says anything by itself', () => {
    const texts = readdirSync(path.join(FOLDER, 'templates')).flatMap((name) =>
      wordsOfTemplate(readFileSync(path.join(FOLDER, 'templates', name), 'utf8')).map(
        (text) => `${name}: ${text}`,
      ),
    );
    expect(texts).toEqual([]);
    const scripts = readdirSync(path.join(FOLDER, 'static'))
      .filter((name) => name.endsWith('.js'))
      .flatMap((name) =>
        sentencesOfScript(readFileSync(path.join(FOLDER, 'static', name), 'utf8')).map(
          (text) => `${name}: ${text}`,
        ),
      );
    expect(scripts).toEqual([]);
  });

  test.each(LANGUAGES.filter((lang) => lang !== 'en'))('in %s no sentence was left in English', (lang) => {
    const [english, other] = [builtIn.words.get('en')!, builtIn.words.get(lang)!];
    const same = Object.keys(english).filter((key) => english[key] === other[key]);
    // One word may be the same in two languages; a sentence is not.
    expect(
      same.filter((key) => /\p{L}+\s+\p{L}+\s+\p{L}+/u.test(english[key]!.replaceAll(/\{[^}]*\}/g, ''))),
    ).toEqual([]);
  });
});

/** Letters outside of tags, and in attributes that people read or hear. */
function wordsOfTemplate(text: string): string[] {
  const markup = text
    .replaceAll(/\{%.*?%\}/gs, '')
    .replaceAll(/\{\{.*?\}\}/gs, '')
    .replaceAll(/<!doctype html>/g, '');
  const attributes = [...markup.matchAll(/\s(?:aria-label|alt|title|placeholder)="([^"]*)"/g)].map(
    ([, value]) => value!,
  );
  // A part may hold attributes alone.
  const between = markup
    .replaceAll(/<[^>]*>/gs, '\n')
    .replaceAll(/[\w-]*="[^"]*"/g, '')
    .split('\n');
  return [...attributes, ...between].map((line) => line.trim()).filter((line) => /\p{L}{2}/u.test(line));
}

/** Strings of a script with blanks between words; comments aside. */
function sentencesOfScript(text: string): string[] {
  const code = text
    .replaceAll(/\/\*.*?\*\//gs, '')
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll(/\s\/\/ .*$/gm, '')
    // Errors are thrown to the script itself, never shown.
    .replaceAll(/new \w*Error\([^)]*\)/g, '');
  const strings = [...code.matchAll(/'([^'\n]*)'|`([^`]*)`/g)].map(
    ([, single, template]) => single ?? template ?? '',
  );
  return strings.filter((string) => /^\p{Lu}?\p{L}+ \p{L}+/u.test(string));
}
