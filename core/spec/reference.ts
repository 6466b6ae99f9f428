import * as z from 'zod';
import { anchorSpec } from './schema/anchor.ts';
import type { JsonSchema } from './validate.ts';

const HEADER = `<!-- Generated from core/spec/schema by core/spec/reference.ts; a test compares the two. -->

# The fields of an Anchor

\`apiVersion: capstan.dev/v1alpha1\`, \`kind: Anchor\`. \`metadata.name\` has at most 30 characters and starts with a letter.
Amounts are decimals in quotes with at most 7 digits after the point; durations are a whole number and \`s\`, \`m\`, \`h\` or \`d\`.
A field that is not listed is an error, not ignored. \`[]\` stands for each entry of a list.

`;

const COLUMNS = ['Field', 'Type', 'Default', 'Meaning'];

/** The reference of the spec in Markdown: a row for every field, in the schema's own words. */
export function specReference(): string {
  const schema = z.toJSONSchema(anchorSpec, { io: 'input' }) as JsonSchema;
  return `${HEADER}${table([COLUMNS, ...fieldRows('spec', schema)])}\n`;
}

/** A table in Markdown, its first row being the head; columns are padded to their widest cell, as prettier leaves them. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const [head = [], ...body] = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  return [head, widths.map((width) => '-'.repeat(width)), ...body].map(line).join('\n');
}

function fieldRows(path: string, schema: JsonSchema): readonly (readonly string[])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}.${name}`;
    const isRequired = schema.required?.includes(name) ?? false;
    const cells = [`\`${at}\``, typeName(field), defaultText(field, isRequired), field.description ?? ''];
    const children = field.items ? fieldRows(`${at}[]`, field.items) : fieldRows(at, field);
    return [cells.map((cell) => cell.replaceAll('|', '\\|')), ...children];
  });
}

function typeName(schema: JsonSchema): string {
  if (schema.title) return schema.title;
  if (schema.anyOf) return 'quantity';
  if (schema.enum) return schema.enum.map((option) => `\`${option}\``).join(', ');
  if (schema.type === 'array') return `list of ${schema.items ? plural(typeName(schema.items)) : 'values'}`;
  if (schema.type === 'object') return schema.properties ? 'map' : 'map of texts';
  if (schema.type === 'integer') return `integer ${schema.minimum ?? ''}–${schema.maximum ?? ''}`;
  return schema.type ?? 'any';
}

const plural = (type: string): string => (/^(map|string|host|URL)$/.test(type) ? `${type}s` : type);

function defaultText(schema: JsonSchema, isRequired: boolean): string {
  if (isRequired) return '_required_';
  if (schema.default === undefined) return '';
  const text = JSON.stringify(schema.default);
  // A map's default only says that its fields have theirs.
  return text === '{}' ? '' : `\`${text}\``;
}
