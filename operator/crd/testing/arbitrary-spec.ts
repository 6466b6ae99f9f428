import fc from 'fast-check';
import * as z from 'zod';
import { formatDuration, parseDuration } from '../../../core/spec/duration.ts';
import { anchorSpec } from '../../../core/spec/schema/anchor.ts';
import { testKeys } from '../../../core/spec/test-manifest.ts';
import type { JsonSchema } from '../../../core/spec/validate.ts';
import { formatAmount, parseAmount } from '../../../core/transaction/amount.ts';

type Schema = JsonSchema & {
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
};
type Value = fc.Arbitrary<unknown>;

const schema = z.toJSONSchema(anchorSpec, { io: 'input' }) as Schema;
const accounts = Array.from({ length: 12 }, () => testKeys().account);

const annotations = fc.dictionary(fc.stringMatching(/^[a-z]{1,20}$/), fc.string({ maxLength: 30 }), {
  maxKeys: 3,
});

/** By the first word of their title. */
const TEXTS: Readonly<Record<string, Value>> = {
  account: fc.constantFrom(...accounts),
  host: fc.stringMatching(/^[a-z]{1,8}(\.[a-z0-9]{1,8}){0,3}(:[1-9]\d{1,3})?$/),
  URL: fc.stringMatching(/^https:\/\/[a-z]{1,9}\.example(:[1-9]\d{1,3})?(\/[a-z0-9%?=&.~-]{0,20})?$/),
  per: fc.integer({ min: 0, max: 1000 }).map((tenths) => String(tenths / 10)),
};

/** Specs in which each field fits the schema; the rules between fields are for the caller to look at. */
export const arbitrarySpec: Value = valueOf(schema, 'spec');

/** The paths of all fields of the schema, entries of lists as `[]`. */
export const allPaths: readonly string[] = pathsOf(schema, 'spec');

/** The paths that a value has, entries of lists as `[]`. */
export function pathsIn(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => pathsIn(entry, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, field]) => pathsIn(field, `${path}.${name}`))];
}

function pathsOf(node: Schema, path: string): readonly string[] {
  if (node.items) return pathsOf(node.items, `${path}[]`);
  const fields = Object.entries(node.properties ?? {});
  return [path, ...fields.flatMap(([name, field]) => pathsOf(field, `${path}.${name}`))];
}

function valueOf(node: Schema, path: string): Value {
  if (node.anyOf) return fc.oneof(...node.anyOf.map((option) => valueOf(option, path)));
  if (node.enum) return fc.constantFrom(...node.enum);
  switch (node.type) {
    case 'object':
      return node.properties ? mapOf(node, path) : annotations;
    case 'array':
      return listOf(node, path);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: node.minimum ?? 0, max: Math.min(node.maximum ?? 1000, 2 ** 31 - 1) });
    case 'number':
      return fc.integer({ min: 1, max: 1000 }).map((tenths) => tenths / 10);
    case 'string':
      return textOf(node);
    default:
      throw new Error(`${path}: no values are known for ${node.type}`);
  }
}

function mapOf(node: Schema, path: string): Value {
  const { properties = {}, required = [] } = node;
  const fields = Object.entries(properties).map(([name, field]) => [name, valueOf(field, `${path}.${name}`)]);
  return fc.record(Object.fromEntries(fields) as Record<string, Value>, { requiredKeys: [...required] });
}

/** Short lists; those with keys have each key once. */
function listOf(node: Schema, path: string): Value {
  if (!node.items) throw new Error(`${path}: a list of what?`);
  const bounds = { minLength: node.minItems ?? 0, maxLength: Math.min(node.maxItems ?? 3, 3) };
  const entry = valueOf(node.items, `${path}[]`);
  const keys = node['x-kubernetes-list-map-keys'];
  if (keys) {
    const key = (one: unknown): string =>
      JSON.stringify(keys.map((name) => (one as Record<string, unknown>)[name]));
    return fc.uniqueArray(entry, { ...bounds, selector: key });
  }
  return node['x-kubernetes-list-type'] === 'set' ? fc.uniqueArray(entry, bounds) : fc.array(entry, bounds);
}

function textOf(node: Schema): Value {
  const { title = '', pattern, minLength = 0, maxLength = 40 } = node;
  const [, kind, least, most] = /^(\S+)(?: from (\S+))?(?: to (\S+))?/.exec(title) ?? [];
  if (kind === 'amount') return amountBetween(least, most);
  if (kind === 'duration') return durationBetween(least, most);
  const known = kind === undefined ? undefined : TEXTS[kind];
  if (known) return known;
  const any = pattern
    ? fc.stringMatching(new RegExp(pattern))
    : fc.string({ minLength, maxLength: Math.min(maxLength, 40), unit: 'grapheme' });
  return any.filter(({ length }) => length >= minLength && length <= maxLength);
}

function amountBetween(min = '0', max = '922337203685.4775807'): Value {
  return fc.bigInt({ min: parseAmount(min), max: parseAmount(max) }).map(formatAmount);
}

function durationBetween(min = '1s', max = '1d'): Value {
  const [least, most] = [parseDuration(min) / 1000, parseDuration(max) / 1000];
  return fc.integer({ min: least, max: most }).map((seconds) => formatDuration(seconds * 1000));
}
