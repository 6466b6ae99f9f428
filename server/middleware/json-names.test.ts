import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findNameFault } from './json-names.ts';

const nestingOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(nestingOf)) : 0;
const hasForbidden = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (Object.keys(value).some((name) => ['__proto__', 'constructor', 'prototype'].includes(name)) ||
    Object.values(value).some(hasForbidden));

describe('findNameFault', () => {
  test('finds nothing in what JSON.stringify writes, however it is spaced', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 4 }), (value, indent) => {
        fc.pre(nestingOf(value) <= 16 && !hasForbidden(value));
        expect(findNameFault(JSON.stringify(value, null, indent))).toBeUndefined();
      }),
    );
  });

  test('finds any name that is given twice in one object, anywhere', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.jsonValue(),
        fc.stringMatching(/^[ \n\t]{0,100}$/),
        (name, value, blanks) => {
          fc.pre(!['__proto__', 'constructor', 'prototype'].includes(name) && !hasForbidden(value));
          fc.pre(nestingOf(value) <= 10);
          const [text, quoted] = [JSON.stringify(value), JSON.stringify(name)];
          const json = `{"a":[{${quoted}${blanks}:${text},"b\\"":"c:","d":{}, ${quoted}${blanks}: 1}]}`;
          fc.pre(!['a', 'b"', 'd'].includes(name));
          expect(findNameFault(json)).toEqual({ kind: 'repeated', name });
        },
      ),
    );
  });

  test('the same name in two objects, or as a value, is no fault', () => {
    expect(findNameFault('{"a":{"a":"a"},"b":["a","a",{"a":1},{"a":2}]}')).toBeUndefined();
  });

  test.each(['__proto__', 'constructor', 'prototype', '\\u005f_proto__'])('finds the name %s', (name) => {
    expect(findNameFault(`{"x":[{"${name}":1}]}`)).toMatchObject({ kind: 'forbidden' });
  });

  test('finds nesting beyond 16, without recursion', () => {
    expect(findNameFault('['.repeat(16) + ']'.repeat(16))).toBeUndefined();
    expect(findNameFault('['.repeat(100_000) + ']'.repeat(100_000))).toEqual({ kind: 'nested too deeply' });
  });
});
