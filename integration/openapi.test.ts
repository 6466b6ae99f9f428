import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { hookNames, hooks, isHookName } from '../core/integration/contract.ts';
import { buildOpenApi } from './openapi.ts';

interface Operation {
  parameters: { $ref: string }[];
  requestBody: {
    content: {
      'application/json': { schema: { required: string[]; properties: { hook: { const: string } } } };
    };
  };
}
interface Document {
  paths: Record<string, { get?: Operation; post?: Operation }>;
  components: Record<string, Record<string, unknown>>;
}
const text = readFileSync(new URL('openapi.json', import.meta.url), 'utf8');
const document = JSON.parse(text) as Document;

describe('openapi.json', () => {
  test('is what `node integration/write-openapi.ts` writes', () => {
    expect(text).toBe(`${JSON.stringify(buildOpenApi(), null, 2)}\n`);
  });

  test('describes the declaration and every hook, each with its name in its signed body', () => {
    const paths = Object.keys(document.paths).map((path) => path.replace('/capstan/v1', '').slice(1));
    expect(paths).toEqual(['', ...hookNames]);
    for (const [path, { post }] of Object.entries(document.paths)) {
      const hook = path.slice('/capstan/v1/'.length);
      if (!isHookName(hook)) continue;
      const { schema } = post!.requestBody.content['application/json'];
      expect(schema.properties.hook.const).toBe(hook);
      expect(schema.required[0]).toBe('hook');
      const keyed = post!.parameters.some(({ $ref }) => $ref.endsWith('/idempotency-key'));
      expect(keyed).toBe(hooks[hook].effect);
    }
  });

  test('refers to nothing that it does not hold', () => {
    const references = [...text.matchAll(/"\$ref": "#\/components\/(\w+)\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(50);
    expect(references).toHaveLength([...text.matchAll(/"\$ref"/g)].length);
    for (const [, kind = '', name = ''] of references)
      expect(document.components[kind]).toHaveProperty([name]);
  });

  test('closes answers to unknown keys and leaves requests open', () => {
    expect(document.components['schemas']!['FormPage']).toHaveProperty('additionalProperties', false);
    expect(document.components['schemas']!['Transaction']).not.toHaveProperty('additionalProperties');
  });
});
