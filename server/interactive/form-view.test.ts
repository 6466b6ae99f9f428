import { expect, test } from '@jest/globals';
import type { FormField } from '../../core/integration/contract.ts';
import { viewForm } from './form-view.ts';
import { createTranslator } from './locale.ts';

const english = createTranslator('en', { 'field.choose': 'Choose' });

test('every country that a field offers can be chosen, one outside ISO 3166-1 by its code', () => {
  const only = ['XKX', 'FRA', 'ALB', 'XKX'];
  const field: FormField = { type: 'country', name: 'x', label: 'X', required: true, only, value: 'XKX' };
  const [view] = viewForm({ title: 'x', fields: [field] }, {}, english).fields;
  const options = view?.options.map(({ value, label, isChosen }) => ({ value, label, isChosen }));
  expect(options).toEqual([
    { value: '', label: 'Choose', isChosen: false },
    { value: 'ALB', label: 'Albania', isChosen: false },
    { value: 'FRA', label: 'France', isChosen: false },
    { value: 'XKX', label: 'XKX', isChosen: true },
  ]);
});
