import type { Field, Form } from './html-form.ts';

/** The person who fills in the anchor's forms. Nobody: example.com receives no mail. */
const ANSWERS: ReadonlyArray<readonly [RegExp, string]> = [
  [/e-?mail/, 'ada@example.com'],
  [/first.?name|given.?name/, 'Ada'],
  [/last.?name|family.?name|surname/, 'Lovelace'],
  [/birth.?date|date.?of.?birth|bday/, '1985-12-10'],
  [/date/, '2030-12-31'],
  [/iban/, 'GB82WEST12345698765432'],
  [/account.?number|bank.?account|clabe|cbu/, '123456789012'],
  [/bank.?number|routing|sort.?code|bic/, '123456'],
  [/phone|mobile|\btel\b/, '+442071234567'],
  [/postal|zip/, 'W1J 8ES'],
  [/city|address.?level2/, 'London'],
  [/address|street/, '12 St James’s Square'],
  [/state|province|address.?level1/, 'London'],
  [/country/, 'GBR'],
  [/name/, 'Ada Lovelace'],
];
const BY_TYPE: Readonly<Record<string, string>> = {
  email: 'ada@example.com',
  tel: '+442071234567',
  date: '1985-12-10',
  number: '1',
  url: 'https://example.com',
};

/** Buttons say nothing; a photo is at nobody's hand here. */
const NOT_FILLED: ReadonlySet<string> = new Set(['submit', 'image', 'button', 'file']);

/**
 * What a customer sends back with a form: hidden fields as they came, the amount where one is asked, a plausible value
 * everywhere else, the button that goes on (not one that only calculates).
 * @param amount decimal text, for the amount of the transaction
 */
export function fillIn({ fields }: Form, amount: string): URLSearchParams {
  const values = new URLSearchParams();
  const radios = new Set<string>();
  for (const field of fields) {
    if (NOT_FILLED.has(field.type)) continue;
    if (field.type === 'radio') {
      if (radios.has(field.name)) continue;
      radios.add(field.name);
      const chosen = fields.find((one) => one.name === field.name && one.isChecked) ?? field;
      values.append(field.name, chosen.value);
    } else if (field.type !== 'checkbox') values.append(field.name, answerTo(field, amount));
    else if (field.isChecked || field.isRequired) values.append(field.name, field.value);
  }
  const button = goOn(fields);
  if (button) values.append(button.name, button.value);
  return values;
}

/** A named button that skips the check of the form (`formnovalidate`) is not how a form is finished. */
function goOn(fields: readonly Field[]): Field | undefined {
  return fields.findLast(
    ({ type, attributes }) =>
      type === 'submit' && attributes['formnovalidate'] === undefined && attributes['type'] !== 'button',
  );
}

function answerTo(field: Field, amount: string): string {
  if (field.type === 'hidden') return field.value;
  if (field.type === 'select') return field.value || (field.options.find((option) => option !== '') ?? '');
  const { autocomplete = '', inputmode, min } = field.attributes;
  const hints = `${field.name} ${autocomplete}`.toLowerCase();
  if (hints.includes('amount') || inputmode === 'decimal') return amount;
  if (field.value !== '') return field.value;
  return (field.type === 'number' && min) || plausible(field.type, hints);
}

function plausible(type: string, hints: string): string {
  return BY_TYPE[type] ?? ANSWERS.find(([hint]) => hint.test(hints))?.[1] ?? 'Ada Lovelace';
}
