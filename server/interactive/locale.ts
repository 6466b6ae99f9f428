import { IntlMessageFormat } from 'intl-messageformat';
import { CapstanError } from '../../core/runtime/errors.ts';
import { formatAmount, type Stroops } from '../../core/transaction/amount.ts';
import { COUNTRIES } from './countries.ts';

/** The languages of the pages; the first is the one for everybody else. */
export const LANGUAGES = ['en', 'es', 'pt', 'fr', 'id', 'ar'] as const;
export type Language = (typeof LANGUAGES)[number];

const RIGHT_TO_LEFT: ReadonlySet<Language> = new Set(['ar']);

export class LocaleBroken extends CapstanError {
  constructor(file: string, why: string, options?: ErrorOptions) {
    super('locale_broken', `The wording in ${file} cannot be used: ${why}.`, options);
  }
}

/** The first wanted tag (`pt-BR`, `es_419`) whose language we speak; else English. */
export function chooseLanguage(...wanted: readonly (string | null | undefined)[]): Language {
  for (const tag of wanted) {
    const primary = tag?.toLowerCase().split(/[-_]/)[0];
    const known = LANGUAGES.find((language) => language === primary);
    if (known) return known;
  }
  return LANGUAGES[0];
}

export type MessageValues = Readonly<Record<string, string | number | boolean>>;

/** One language's words, numbers and dates. */
export interface Translator {
  readonly lang: Language;
  readonly dir: 'ltr' | 'rtl';
  /** @throws {LocaleBroken} for a key that does not exist: a defect that the tests find. */
  readonly t: (key: string, values?: MessageValues) => string;
  has(key: string): boolean;
  /** An amount with at least `decimals` digits after the point and all that it has. */
  amount(stroops: Stroops, decimals: number): string;
  /** The same as money: the symbol ("$", "NGN") stands where this language puts one. */
  money(stroops: Stroops, decimals: number, symbol: string): string;
  /** "0.5" as "0.5%", "0,5 %" … */
  percent(decimal: string): string;
  /** A size in bytes as people say it: "1.2 MB". */
  bytes(count: number): string;
  /** How far off a time is, roughly: "in 3 days". */
  relative(fromMs: number, toMs: number): string;
  /** How this language writes decimals: for reading what a customer typed. */
  readonly separators: { readonly decimal: string; readonly group: string };
  /** Date and time in UTC. */
  instant(date: Date): string;
  /** All countries, sorted as this language does: their ISO 3166-1 alpha-3 codes and names. */
  countries(): readonly Country[];
}

export interface Country {
  readonly value: string;
  readonly label: string;
}

export function createTranslator(lang: Language, messages: Readonly<Record<string, string>>): Translator {
  const formats = new Map<string, IntlMessageFormat>();
  const numbers = numbersOf(lang);
  const dates = new Intl.DateTimeFormat(lang, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  const relative = new Intl.RelativeTimeFormat(lang, { numeric: 'always' });
  let countries: readonly Country[] | undefined;
  const formatOf = (key: string): IntlMessageFormat => {
    const known = formats.get(key);
    if (known) return known;
    const text = Object.hasOwn(messages, key) ? messages[key] : undefined;
    if (text === undefined) throw new LocaleBroken(`${lang}.json`, `it lacks "${key}"`);
    const format = new IntlMessageFormat(text, lang, undefined, { ignoreTag: true });
    formats.set(key, format);
    return format;
  };
  return {
    lang,
    dir: RIGHT_TO_LEFT.has(lang) ? 'rtl' : 'ltr',
    t: (key, values) => String(formatOf(key).format(values)),
    has: (key) => Object.hasOwn(messages, key),
    ...numbers,
    bytes: (count) => formatBytes(lang, count),
    relative: (fromMs, toMs) => formatRelative(relative, toMs - fromMs),
    separators: separatorsOf(lang),
    instant: (date) => `${dates.format(date)} UTC`,
    countries: () => (countries ??= countriesOf(lang)),
  };
}

/** Of any currency Intl knows where its symbol stands; ours then takes that one's place. */
const SOME_CURRENCY = 'USD';

/** Formats are kept: to make one takes longer than to draw a page. */
function numbersOf(lang: Language): Pick<Translator, 'amount' | 'money' | 'percent'> {
  const plain = kept(
    (decimals: number) =>
      new Intl.NumberFormat(lang, { minimumFractionDigits: decimals, maximumFractionDigits: MOST_DECIMALS }),
  );
  const currencyOf = (currencyDisplay: 'code' | 'narrowSymbol') =>
    kept(
      (decimals: number) =>
        new Intl.NumberFormat(lang, {
          style: 'currency',
          currency: SOME_CURRENCY,
          currencyDisplay,
          minimumFractionDigits: decimals,
          maximumFractionDigits: MOST_DECIMALS,
        }),
    );
  const [withLetters, withSign] = [currencyOf('code'), currencyOf('narrowSymbol')];
  const percents = new Intl.NumberFormat(lang, {
    style: 'unit',
    unit: 'percent',
    maximumFractionDigits: MOST_DECIMALS,
  });
  return {
    amount: (stroops, decimals) => plain(decimals).format(exact(stroops)),
    money: (stroops, decimals, symbol) =>
      (/\p{L}$/u.test(symbol) ? withLetters : withSign)(decimals)
        .formatToParts(exact(stroops))
        .map(({ type, value }) => (type === 'currency' ? symbol : value))
        .join(''),
    percent: (decimal) => percents.format(decimal as `${number}`),
  };
}

const MOST_DECIMALS = 7;

/** Text, since a number would lose digits; `formatAmount` writes plain decimals only. */
const exact = (stroops: Stroops): `${number}` => formatAmount(stroops) as `${number}`;

function kept<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

function countriesOf(lang: Language): readonly Country[] {
  const names = new Intl.DisplayNames(lang, { type: 'region' });
  const { compare } = new Intl.Collator(lang);
  return [...COUNTRIES]
    .map(([value, alpha2]) => ({ value, label: names.of(alpha2) ?? value }))
    .toSorted((one, other) => compare(one.label, other.label));
}

function separatorsOf(lang: Language): Translator['separators'] {
  const parts = new Intl.NumberFormat(lang).formatToParts(1_234_567.5);
  const find = (type: string, otherwise: string): string =>
    parts.find((part) => part.type === type)?.value ?? otherwise;
  return { decimal: find('decimal', '.'), group: find('group', ',') };
}

const KILO = 1024;

function formatBytes(lang: Language, count: number): string {
  const kilobytes = Math.max(1, Math.ceil(count / KILO));
  const isSmall = kilobytes < KILO;
  const unit = isSmall ? 'kilobyte' : 'megabyte';
  return new Intl.NumberFormat(lang, { style: 'unit', unit, maximumFractionDigits: 1 }).format(
    isSmall ? kilobytes : kilobytes / KILO,
  );
}

const STEPS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** In the largest unit that there are two of: "in 47 hours", then "in 2 days"; rounded down, as a promise has to be. */
function formatRelative(format: Intl.RelativeTimeFormat, ms: number): string {
  const [unit, size] = STEPS.find(([, unitMs]) => Math.abs(ms) >= 2 * unitMs) ?? STEPS[2];
  return format.format(Math.trunc(ms / size), unit);
}
