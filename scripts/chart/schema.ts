import { isRecord } from '../../core/spec/guards.ts';
import type { ValueField } from './values.ts';

type Schema = Readonly<Record<string, unknown>>;

/**
 * The schema of the values with the descriptions and defaults of values.yaml; types and bounds are as they were, and every
 * group refuses keys that it does not know.
 * @throws Error that names a value without a type, or a type without a value
 */
export function describeSchema(schema: Schema, fields: readonly ValueField[]): Schema {
  return { ...schema, ...group(schema, [], fields) };
}

function group(schema: Schema, path: readonly string[], fields: readonly ValueField[]): Schema {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const own = fields.filter((field) => field.path.slice(0, -1).join('.') === path.join('.'));
  const names = own.map((field) => field.path.at(-1) ?? '');
  const unknown = Object.keys(properties).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`values.yaml has no ${[...path, unknown].join('.')}`);
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      own.map((field, index) => {
        const of = properties[names[index] ?? ''];
        if (!isRecord(of)) throw new Error(`values.schema.json has no ${field.path.join('.')}`);
        return [names[index], described(of, field, fields)];
      }),
    ),
  };
}

function described(schema: Schema, field: ValueField, fields: readonly ValueField[]): Schema {
  const { description: _description, default: _default, ...rest } = schema;
  const { description } = field;
  // A map that is described as a group may be a map of anything to the schema: its keys are examples then.
  if (field.isGroup && '$ref' in schema) return { description, ...rest };
  if (!field.isGroup) return { description, default: field.value, ...rest };
  const { type: _type, additionalProperties: _open, properties: _properties, ...more } = rest;
  return { description, ...more, ...group(schema, field.path, fields) };
}
