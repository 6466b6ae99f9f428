import type { FormField, FormPage } from '../../core/integration/contract.ts';
import { ADDRESS_PARTS } from '../../core/integration/contract/form.ts';
import type { Translator } from './locale.ts';

type AddressField = Extract<FormField, { type: 'address' }>;

/** A field that is one input on the page, or one choice. */
export type InputField = Exclude<FormField, AddressField>;

/** Fields that belong together under one heading: the parts of an address. */
export interface FieldGroup {
  readonly legend: string | undefined;
  readonly fields: readonly InputField[];
}

/** How browsers fill in what SEP-9 names, where the integration does not say it. */
const AUTOFILL: Readonly<Record<string, string>> = {
  first_name: 'given-name',
  given_name: 'given-name',
  last_name: 'family-name',
  family_name: 'family-name',
  additional_name: 'additional-name',
  email_address: 'email',
  mobile_number: 'tel',
  birth_date: 'bday',
  occupation: 'organization-title',
  address: 'street-address',
  city: 'address-level2',
  state_or_province: 'address-level1',
  postal_code: 'postal-code',
  address_country_code: 'country',
  'organization.name': 'organization',
  'card.holder_name': 'cc-name',
  'card.number': 'cc-number',
  'card.expiration_date': 'cc-exp',
  'card.cvc': 'cc-csc',
  // Nothing that a browser should remember or guess.
  bank_account_number: 'off',
  bank_number: 'off',
  clabe_number: 'off',
  cbu_number: 'off',
  tax_id: 'off',
  id_number: 'off',
};

/** The autofill token of a field: the integration's, else the one of its SEP-9 name. */
export function autofillOf({ name, autocomplete }: InputField): string | undefined {
  return autocomplete ?? (Object.hasOwn(AUTOFILL, name) ? AUTOFILL[name] : undefined);
}

/** The fields of a page as it shows them, in order; an address becomes its parts, named in the customer's language. */
export function groupsOf({ fields }: Pick<FormPage, 'fields'>, { t }: Translator): readonly FieldGroup[] {
  const groups: { legend: string | undefined; fields: InputField[] }[] = [];
  for (const field of fields) {
    if (field.type === 'address') {
      groups.push({ legend: field.label, fields: addressParts(field, t) });
      continue;
    }
    const last = groups.at(-1);
    if (last && last.legend === undefined) last.fields.push(field);
    else groups.push({ legend: undefined, fields: [field] });
  }
  return groups;
}

/** All inputs of a page, flat. */
export function inputsOf(page: Pick<FormPage, 'fields'>, translator: Translator): readonly InputField[] {
  return groupsOf(page, translator).flatMap(({ fields }) => fields);
}

/** Not every country has provinces or postal codes. */
const OPTIONAL_PARTS: ReadonlySet<string> = new Set(['state_or_province', 'postal_code']);
const LONGEST_PART = 200;

function addressParts(
  { prefix, value = {}, required, only }: AddressField,
  t: Translator['t'],
): InputField[] {
  return ADDRESS_PARTS.map((part): InputField => {
    const common = {
      name: `${prefix ?? ''}${part}`,
      label: t(`address.${part}`),
      required: required === true && !OPTIONAL_PARTS.has(part),
      autocomplete: AUTOFILL[part],
    };
    const initial = value[part];
    if (part !== 'address_country_code') {
      return { ...common, type: 'text', value: initial, maxLength: LONGEST_PART };
    }
    return { ...common, type: 'country', value: initial, only };
  });
}
