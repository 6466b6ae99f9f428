import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FormField } from '../../core/integration/contract.ts';
import { fieldValues } from '../../core/integration/contract/values.ts';
import { COUNTRIES } from './countries.ts';
import { readForm } from './form-values.ts';
import { createTranslator } from './locale.ts';

const english = createTranslator('en', {});
const context = { translator: english, today: '2026-03-15' };
const read = (field: FormField, given?: string) =>
  readForm(
    { title: 'x', fields: [field] },
    given === undefined ? {} : { [`f.${field.name}`]: given },
    context,
  );
const base = { name: 'x', label: 'X' };

describe('readForm', () => {
  test.each<[FormField, string, string | undefined]>([
    [{ ...base, type: 'text' }, '  Ann ', 'Ann'],
    [{ ...base, type: 'text', minLength: 3 }, 'ab', undefined],
    [{ ...base, type: 'text', maxLength: 3 }, 'abcd', undefined],
    [{ ...base, type: 'textarea' }, 'a\r\nb ', 'a\nb '],
    [{ ...base, type: 'email' }, 'a@b.example', 'a@b.example'],
    [{ ...base, type: 'email' }, 'a b@c', undefined],
    [{ ...base, type: 'number', min: '-1.5', max: '10' }, '-1.5', '-1.5'],
    [{ ...base, type: 'number', min: '-1.5' }, '-1.6', undefined],
    [{ ...base, type: 'number', max: '9.9' }, '10', undefined],
    [{ ...base, type: 'number' }, '1e5', undefined],
    [{ ...base, type: 'date' }, '2024-02-29', '2024-02-29'],
    [{ ...base, type: 'date' }, '2023-02-29', undefined],
    [{ ...base, type: 'date', min: '2000-01-01' }, '1999-12-31', undefined],
    [{ ...base, type: 'date', max: '2000-01-01' }, '2000-01-02', undefined],
    [{ ...base, type: 'amount' }, '1,234.50', '1234.5'],
    [{ ...base, type: 'amount', min: '2' }, '1', undefined],
    [{ ...base, type: 'amount', max: '2' }, '3', undefined],
    [{ ...base, type: 'select', options: [{ value: 'a', label: 'A' }] }, 'a', 'a'],
    [{ ...base, type: 'select', options: [{ value: 'a', label: 'A' }] }, 'b', undefined],
    [{ ...base, type: 'radio', options: [{ value: 'a', label: 'A' }] }, 'b', undefined],
    [{ ...base, type: 'checkbox' }, 'on', 'true'],
    [{ ...base, type: 'country' }, 'DEU', 'DEU'],
    [{ ...base, type: 'country' }, 'DE', undefined],
    [{ ...base, type: 'country', only: ['FRA'] }, 'DEU', undefined],
    [{ ...base, type: 'text' }, 'x'.repeat(4_001), undefined],
  ])('%j with "%s" is %s', (field, given, value) => {
    const { values, problems } = read(field, given);
    expect(values).toEqual(value === undefined ? {} : { x: value });
    expect(problems.size).toBe(value === undefined ? 1 : 0);
  });

  test('an empty field is left out, unless it is required', () => {
    for (const type of ['text', 'checkbox', 'date', 'country'] as const) {
      expect(read({ ...base, type }, ' ')).toMatchObject({ values: {}, problems: new Map() });
      expect(read({ ...base, type, required: true }).problems.get('x')).toEqual({
        key: 'error.field.required',
      });
    }
  });

  test('names that the page does not have are not passed on', () => {
    const page = { title: 'x', fields: [{ ...base, type: 'text' } as const] };
    const { values } = readForm(page, { 'f.x': 'a', 'f.y': 'b', x: 'c', csrf: 'd' }, context);
    expect(values).toEqual({ x: 'a' });
  });

  test('all values of a page together are bounded as the contract bounds them', () => {
    const fields = Array.from(
      { length: 20 },
      (_, index) => ({ type: 'textarea', name: `x${index}`, label: 'X' }) as const,
    );
    const body = Object.fromEntries(fields.map(({ name }) => [`f.${name}`, 'y'.repeat(4_000)]));
    const { values, problems } = readForm({ title: 'x', fields }, body, context);
    expect(fieldValues.safeParse(values).success).toBe(true);
    expect(problems.size).toBe(4);
  });

  test('what passes is always what the contract takes', () => {
    const types = fc.constantFrom(
      'text',
      'email',
      'tel',
      'textarea',
      'date',
      'number',
      'amount',
      'checkbox',
      'country',
    );
    fc.assert(
      fc.property(types, fc.string({ unit: 'binary' }), (type, given) => {
        const { values } = read({ ...base, type }, given);
        expect(fieldValues.safeParse(values).success).toBe(true);
      }),
    );
  });

  test('every country has its own code and a name', () => {
    expect(COUNTRIES.size).toBe(249);
    expect(new Set(COUNTRIES.values()).size).toBe(249);
    const names = new Map(english.countries().map(({ value, label }) => [value, label]));
    for (const [alpha3, alpha2] of COUNTRIES) {
      expect(names.get(alpha3)).toMatch(/\p{L}{3}/u);
      expect(names.get(alpha3)).not.toBe(alpha2);
    }
  });
});
