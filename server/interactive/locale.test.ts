import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { IntlMessageFormat } from 'intl-messageformat';
import { ADDRESS_PARTS } from '../../core/integration/contract/form.ts';
import { STATUSES } from '../../core/transaction/status.ts';
import { chooseLanguage, createTranslator, LANGUAGES } from './locale.ts';
import { STAGES } from './stages.ts';

const FOLDER = import.meta.dirname;
const messagesOf = (lang: string): Record<string, string> =>
  JSON.parse(readFileSync(path.join(FOLDER, 'locales', `${lang}.json`), 'utf8')) as Record<string, string>;

/** What of a parsed message tells the names that it takes. */
interface Element {
  readonly value?: string;
  readonly options?: Readonly<Record<string, { readonly value: readonly Element[] }>>;
  readonly type: number;
}

const LITERAL = 0;
const POUND = 7;

/** The names that a message takes from outside, each once. */
function placeholders(text: string): string[] {
  const names = (elements: readonly Element[]): string[] =>
    elements.flatMap(({ type, value, options = {} }) => {
      const inside = Object.values(options).flatMap((option) => names(option.value));
      return type === LITERAL || type === POUND || value === undefined ? inside : [value, ...inside];
    });
  const format = new IntlMessageFormat(text, 'en', undefined, { ignoreTag: true });
  return [...new Set(names(format.getAst()))].sort();
}

/** Keys as they are written in templates and code; families of keys stand for all their members. */
function usedKeys(): Set<string> {
  const files = [FOLDER, path.join(FOLDER, 'templates')].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /\.(ts|liquid)$/.test(name) && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(path.join(folder, name), 'utf8')),
  );
  const known = Object.keys(messagesOf('en'));
  const quoted = new Set(
    files.flatMap((text) => [...text.matchAll(/'([a-z_]+(?:\.[a-z_]+)+)'/g)].map(([, key]) => key!)),
  );
  const families = [
    ...STATUSES.flatMap((status) => [`status.${status}`, `status.text.${status}`]),
    ...ADDRESS_PARTS.map((part) => `address.${part}`),
    ...STAGES.map((stage) => `stage.${stage}`),
  ];
  const pairs = known.filter((key) => {
    const [, base] = /^(.+)\.(?:title|text)$/.exec(key) ?? [];
    return base !== undefined && quoted.has(base);
  });
  return new Set([...families, ...pairs, ...[...quoted].filter((key) => known.includes(key))]);
}

describe('the words of the pages', () => {
  test.each(LANGUAGES)('in %s none is missing, none is too many, and each takes the same values', (lang) => {
    const [english, other] = [messagesOf('en'), messagesOf(lang)];
    expect(Object.keys(other)).toEqual(Object.keys(english));
    expect(placeholders(english['refund.note_fee']!)).toEqual(['fee', 'id']);
    for (const [key, text] of Object.entries(other)) {
      expect([key, placeholders(text)]).toEqual([key, placeholders(english[key]!)]);
    }
  });

  test('none is unused', () => {
    const used = usedKeys();
    expect(Object.keys(messagesOf('en')).filter((key) => !used.has(key))).toEqual([]);
  });

  test('templates and code use none that does not exist', () => {
    const known = messagesOf('en');
    const templates = readdirSync(path.join(FOLDER, 'templates')).map((name) =>
      readFileSync(path.join(FOLDER, 'templates', name), 'utf8'),
    );
    const code = readdirSync(FOLDER)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(path.join(FOLDER, name), 'utf8'));
    const inTemplates = templates.flatMap((text) =>
      [...text.matchAll(/'([\w.]+)' \| t\b/g)].map(([, key]) => key!),
    );
    const inCode = code.flatMap((text) => [...text.matchAll(/\bt\(\s*'([\w.]+)'/g)].map(([, key]) => key!));
    expect(inTemplates.length).toBeGreaterThan(20);
    expect(inCode.length).toBeGreaterThan(20);
    expect([...inTemplates, ...inCode].filter((key) => !Object.hasOwn(known, key))).toEqual([]);
  });

  test('no template switches the escaping off', () => {
    for (const name of readdirSync(path.join(FOLDER, 'templates'))) {
      expect(readFileSync(path.join(FOLDER, 'templates', name), 'utf8')).not.toMatch(
        /\|\s*raw|\{%-?\s*raw|=\{\{/,
      );
    }
  });
});

describe('translators', () => {
  test('the language is the first wanted one that we speak, whatever its region', () => {
    expect(chooseLanguage('pt-BR')).toBe('pt');
    expect(chooseLanguage('de', undefined, null, 'es_419', 'fr')).toBe('es');
    expect(chooseLanguage('AR')).toBe('ar');
    expect(chooseLanguage('xx', '')).toBe('en');
    expect(chooseLanguage('constructor', '__proto__')).toBe('en');
  });

  test('amounts keep every digit that a number would lose', () => {
    const english = createTranslator('en', {});
    expect(english.amount(9_223_372_036_854_775_807n, 2)).toBe('922,337,203,685.4775807');
    expect(english.amount(10_000_000n, 2)).toBe('1.00');
    expect(english.amount(10_000_000n, 0)).toBe('1');
    expect(createTranslator('id', {}).amount(12_345_000_000n, 2)).toBe('1.234,50');
  });

  test('money and per cent stand as each language writes them, with the business’s own symbol', () => {
    const money = (lang: Parameters<typeof createTranslator>[0], symbol: string): string =>
      createTranslator(lang, {})
        .money(12_345_000_000n, 2, symbol)
        .replaceAll(/[\u00a0\u202f]/g, ' ');
    expect(money('en', '$')).toBe('$1,234.50');
    expect(money('en', 'NGN')).toBe('NGN 1,234.50');
    expect(money('fr', '€')).toBe('1 234,50 €');
    expect(money('id', 'Rp')).toBe('Rp 1.234,50');
    expect(money('pt', 'R$')).toBe('R$ 1.234,50');
    expect(createTranslator('en', {}).money(9_223_372_036_854_775_807n, 2, '₦')).toBe(
      '₦922,337,203,685.4775807',
    );
    expect(createTranslator('en', {}).percent('0.5')).toBe('0.5%');
    expect(
      createTranslator('fr', {})
        .percent('0.5')
        .replaceAll(/[\u00a0\u202f]/g, ' '),
    ).toBe('0,5 %');
  });

  test('a key that does not exist is a defect, not an empty page', () => {
    const translator = createTranslator('en', messagesOf('en'));
    expect(() => translator.t('no.such.key')).toThrow(/lacks "no.such.key"/);
    expect(() => translator.t('constructor')).toThrow(/lacks/);
  });
});
