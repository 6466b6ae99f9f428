import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { specReference } from './reference.ts';
import { anchorSpec } from './schema/anchor.ts';
import type { JsonSchema } from './validate.ts';

/** Every field of the schema by its path. */
function fields(schema: JsonSchema, path: string): readonly (readonly [string, JsonSchema])[] {
  const children = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    fields(field, `${path}.${name}`),
  );
  const items = schema.items ? fields(schema.items, `${path}[]`) : [];
  return [[path, schema], ...children, ...items];
}
const all = fields(z.toJSONSchema(anchorSpec, { io: 'input' }) as JsonSchema, 'spec').slice(1);

describe('the reference of the spec', () => {
  test('docs/reference/anchor.md is what the schema says', () => {
    const committed = readFileSync(new URL('../../docs/reference/anchor.md', import.meta.url), 'utf8');
    expect(committed).toBe(specReference());
  });

  test('every field is described in a sentence', () => {
    expect(all.filter(([, { description }]) => !description?.endsWith('.')).map(([path]) => path)).toEqual(
      [],
    );
  });

  test('every text, list and integer has a maximum, and every map is closed: what CEL costs is bounded', () => {
    const unbounded = all.filter(([, field]) => {
      if (field.type === 'string') return !('maxLength' in field) && !('enum' in field);
      if (field.type === 'array') return !('maxItems' in field);
      if (field.type === 'integer') return !('maximum' in field);
      return field.type === 'object' && field.additionalProperties === undefined;
    });
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  test('no field is a union but the quantities, which Kubernetes knows: the schema is structural', () => {
    const unions = all.filter(([, { anyOf }]) => anyOf !== undefined).map(([path]) => path);
    expect(unions.filter((path) => !/\.(cpu|memory)$/.test(path))).toEqual([]);
    expect(unions.length).toBeGreaterThan(0);
  });
});
