import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { jsonBody } from './json-body.ts';

test('a body says what JSON says, and holds no line break that YAML would fold', () => {
  const character = fc.oneof(
    fc.constantFrom('\u0085', '\u2028', '\u2029', '\\', '"'),
    fc.string({ unit: 'grapheme' }),
  );
  fc.assert(
    fc.property(fc.array(character), (characters) => {
      const text = characters.join('');
      const body = jsonBody({ [text]: [text] });
      expect(JSON.parse(body)).toEqual({ [text]: [text] });
      expect(body).not.toMatch(/[\u0085\u2028\u2029]/);
    }),
  );
});
