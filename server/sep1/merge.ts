import { parse, stringify, TomlDate } from 'smol-toml';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { TomlTable } from './generate.ts';

/** SEP-1: wallets read at most 100 KB. */
export const MAX_TOML_BYTES = 100 * 1_024;

/** What wallets must be able to trust; another value would send them, and their money, elsewhere. */
const PROTECTED = new Set([
  'NETWORK_PASSPHRASE',
  'SIGNING_KEY',
  'WEB_AUTH_ENDPOINT',
  'TRANSFER_SERVER_SEP0024',
]);
/** SEP-1 wants one of them; what an operator says replaces our guess. */
const SUPPLY = ['fixed_number', 'max_number', 'is_unlimited'];

/** A text that is no TOML, too large, or not plain enough for the wallets' old readers. */
export class TomlUnusable extends CapstanError {
  constructor(why: string, cause?: unknown) {
    super('toml_unusable', `The stellar.toml cannot be used: ${why}.`, cause === undefined ? {} : { cause });
  }
}

export interface MergedToml {
  readonly table: TomlTable;
  /** Protected keys that an addition tried to change; they were left as generated. */
  readonly refused: readonly string[];
}

const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
const tablesOf = (value: unknown): readonly TomlTable[] =>
  Array.isArray(value) ? value.filter(isTable) : [];

/** SEP-1 names a currency by code and issuer, or by a pattern of codes, its contract, or the file that tells of it. */
function currencyKey({ code, issuer, code_template: template, contract, toml }: TomlTable): string {
  return JSON.stringify(code === undefined ? [template, contract, toml] : [code, issuer ?? contract]);
}

function mergeCurrency(base: TomlTable, addition: TomlTable): TomlTable {
  const saysSupply = SUPPLY.some((name) => Object.hasOwn(addition, name));
  const kept = saysSupply
    ? Object.fromEntries(Object.entries(base).filter(([name]) => !SUPPLY.includes(name)))
    : base;
  return { ...kept, ...addition };
}

function mergeCurrencies(base: unknown, addition: unknown): readonly TomlTable[] {
  const merged = new Map(tablesOf(base).map((currency) => [currencyKey(currency), currency]));
  for (const currency of tablesOf(addition)) {
    const key = currencyKey(currency);
    merged.set(key, mergeCurrency(merged.get(key) ?? {}, currency));
  }
  return [...merged.values()];
}

function mergeValue(key: string, base: unknown, addition: unknown): unknown {
  if (key === 'CURRENCIES') return mergeCurrencies(base, addition);
  if (key === 'ACCOUNTS' && Array.isArray(base) && Array.isArray(addition)) {
    return [...new Set<unknown>([...(base as unknown[]), ...(addition as unknown[])])];
  }
  return isTable(base) && isTable(addition) ? { ...base, ...addition } : addition;
}

/**
 * Merges one addition over a stellar.toml: tables key by key, currencies by their identity, ACCOUNTS as a union,
 * everything else replaced. What wallets trust us by stays as generated.
 */
export function mergeToml(base: TomlTable, addition: TomlTable): MergedToml {
  const refused = Object.keys(addition).filter((key) => PROTECTED.has(key) && addition[key] !== base[key]);
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(addition)) {
    if (!PROTECTED.has(key)) merged[key] = mergeValue(key, base[key], value);
  }
  return { table: merged, refused };
}

/** @throws TomlUnusable with line and column */
export function parseToml(text: string): TomlTable {
  try {
    return parse(text);
  } catch (error) {
    throw new TomlUnusable('it is no TOML', error);
  }
}

function kindOf(value: unknown): string {
  if (value instanceof TomlDate) return 'date';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'float';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** TOML 0.4 readers, which some wallets still have, refuse lists of mixed kinds; no reader of ours needs null. */
function faultOf(value: unknown, path: string): string | undefined {
  if (value === null || value === undefined) return `${path} is null`;
  if (Array.isArray(value)) {
    if (new Set(value.map(kindOf)).size > 1) return `the list ${path} mixes kinds of values`;
    return value
      .map((item, index) => faultOf(item, `${path}[${index}]`))
      .find((fault) => fault !== undefined);
  }
  if (!isTable(value)) return undefined;
  return Object.entries(value)
    .map(([name, item]) => faultOf(item, path === '' ? name : `${path}.${name}`))
    .find((fault) => fault !== undefined);
}

/** Writes a table as plain TOML. @throws TomlUnusable when it is above 100 KB or old readers would refuse it */
export function renderToml(table: TomlTable): string {
  const fault = faultOf(table, '');
  if (fault !== undefined) throw new TomlUnusable(fault);
  // Plain values before tables: TOML would put them into the table above.
  const isNested = ([, value]: readonly [string, unknown]): boolean =>
    isTable(value) || tablesOf(value).length > 0;
  const entries = Object.entries(table);
  const ordered = [...entries.filter((entry) => !isNested(entry)), ...entries.filter(isNested)];
  const text = `${stringify(Object.fromEntries(ordered)).trimEnd()}\n`;
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_TOML_BYTES) throw new TomlUnusable(`it has ${bytes} bytes, wallets read ${MAX_TOML_BYTES}`);
  return text;
}
