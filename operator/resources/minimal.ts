import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { isRecord } from '../../core/spec/guards.ts';
import { anchorSpec } from '../../core/spec/schema/anchor.ts';
import type { JsonSchema } from '../../core/spec/validate.ts';

let known: JsonSchema | undefined;

/**
 * A spec without the fields that say what they would be anyway. The API server writes every default into a stored Anchor; a
 * config file with all of them could not be read by the release before, which refuses fields that it does not know, and a
 * release that only adds a field would restart everything.
 */
export function withoutDefaults(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  known ??= z.toJSONSchema(anchorSpec, { io: 'input' }) as JsonSchema;
  return minimalObject(spec, known);
}

function minimalObject(
  value: Readonly<Record<string, unknown>>,
  schema: JsonSchema,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => {
      const fieldSchema = schema.properties?.[name];
      if (field === undefined) return [];
      const minimal = minimalValue(field, fieldSchema);
      const isDefault = fieldSchema?.default !== undefined && isDeepStrictEqual(minimal, fieldSchema.default);
      return isDefault ? [] : [[name, minimal]];
    }),
  );
}

function minimalValue(value: unknown, schema: JsonSchema | undefined): unknown {
  if (!schema) return value;
  const { items } = schema;
  if (Array.isArray(value)) return items ? value.map((entry) => minimalValue(entry, items)) : value;
  return isRecord(value) && schema.properties ? minimalObject(value, schema) : value;
}
