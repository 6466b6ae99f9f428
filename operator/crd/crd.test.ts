import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { rules } from '../../core/spec/rules.ts';
import { anchorCrd, crdYaml } from './crd.ts';
import { structural } from './structural.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly [key: string]: unknown;
}

const crd = anchorCrd() as { spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] } };
const root = crd.spec.versions[0].schema.openAPIV3Schema;

/** Every schema of the tree by its path. */
function all(schema: Schema, path: string): readonly (readonly [string, Schema])[] {
  return [
    [path, schema],
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => all(field, `${path}.${name}`)),
    ...(schema.items ? all(schema.items, `${path}[]`) : []),
    ...(schema.additionalProperties ? all(schema.additionalProperties, `${path}.*`) : []),
  ];
}
const ours = ['spec', 'status'].flatMap((part) => all(root.properties![part]!, part));
const pathsWhere = (isWrong: (schema: Schema, path: string) => boolean): readonly string[] =>
  ours.filter(([path, schema]) => isWrong(schema, path)).map(([path]) => path);

describe('the CustomResourceDefinition', () => {
  test('crds/anchors.capstan.dev.yaml is what `make generate` writes', () => {
    const file = new URL('../../crds/anchors.capstan.dev.yaml', import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(crdYaml());
  });

  test('every field is described in a sentence', () => {
    // The values of a map and the entries of a list of texts are described with it.
    const needsNone = (path: string): boolean => path.endsWith('.*');
    expect(pathsWhere(({ description }, path) => !needsNone(path) && !description?.endsWith('.'))).toEqual(
      [],
    );
  });

  test('every text, list, map and whole number has a most, so that what a rule may cost is bounded', () => {
    const unbounded = pathsWhere((schema) => {
      if (schema['x-kubernetes-int-or-string']) return schema['maxLength'] === undefined;
      if (schema.type === 'string') return schema['maxLength'] === undefined && schema['enum'] === undefined;
      if (schema.type === 'array') return schema['maxItems'] === undefined;
      if (schema.type === 'integer' || schema.type === 'number') return schema['maximum'] === undefined;
      if (schema.type === 'boolean') return false;
      return !schema.properties && schema['maxProperties'] === undefined;
    });
    expect(unbounded).toEqual([]);
  });

  test('every list says how it is merged, and the keys of one are required or have a default', () => {
    const keyless = pathsWhere((schema) => {
      if (schema.type !== 'array') return false;
      const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
      if (schema['x-kubernetes-list-type'] !== 'map') return schema['x-kubernetes-list-type'] === undefined;
      const entry = schema.items!;
      return keys.some(
        (key) =>
          !(entry['required'] as readonly string[]).includes(key) &&
          entry.properties![key]!['default'] === undefined,
      );
    });
    expect(keyless).toEqual([]);
  });

  test('nothing is kept that the schema does not know, and nothing is a union', () => {
    const text = crdYaml();
    expect(text).not.toMatch(/preserve-unknown-fields|anyOf|oneOf|allOf|embedded-resource/);
    expect(
      pathsWhere(({ additionalProperties, properties }) => Boolean(additionalProperties && properties)),
    ).toEqual([]);
  });

  test('every rule between fields is in it with its sentence; only what needs a parser of TOML is not', () => {
    const text = JSON.stringify(root);
    const wanted = rules.flatMap(({ cel, message }) => cel.flatMap(({ rule }) => [rule, message]));
    expect(wanted.filter((one) => !text.includes(JSON.stringify(one)))).toEqual([]);
    expect(rules.filter(({ cel }) => cel.length === 0).map(({ name }) => name)).toEqual([
      'toml-parses',
      'toml-overrides-nothing-generated',
    ]);
  });

  test('a part of JSON Schema that Kubernetes has not is an error that names the field, never left out', () => {
    const schema = z.toJSONSchema(z.object({ port: z.int().multipleOf(2) })) as Record<string, unknown>;
    expect(() => structural(schema, 'spec')).toThrow('spec.port: a structural schema has no multipleOf');
  });
});
