import {
  FIELD_LIMIT,
  FIELD_VALUE_LIMIT,
  FIELD_VALUES_LIMIT,
} from '../../core/integration/contract/values.ts';
import { BadRequest } from '../middleware/http-error.ts';

/**
 * The text fields of SEP-9. Its binary ones (photographs, scans) are not among them: the server takes no files, and what a
 * wallet writes under their names is left unread.
 */
const PERSON = `family_name last_name given_name first_name additional_name address_country_code state_or_province city
  postal_code address mobile_number mobile_number_format email_address birth_date birth_place birth_country_code tax_id
  tax_id_name occupation employer_name employer_address language_code id_type id_country_code id_issue_date
  id_expiration_date id_number ip_address sex referral_id`;
const FINANCIAL = `bank_name bank_account_type bank_account_number bank_number bank_phone_number bank_branch_number
  external_transfer_memo clabe_number cbu_number cbu_alias mobile_money_number mobile_money_provider crypto_address
  crypto_memo`;
const ORGANIZATION = `name VAT_number registration_number registration_date registered_address number_of_shareholders
  shareholder_name address_country_code state_or_province city postal_code director_name website email phone
  ${FINANCIAL}`;
const CARD = `number expiration_date cvc holder_name network postal_code country_code state_or_province city address token`;

const names = (text: string, prefix = ''): string[] => text.split(/\s+/).map((name) => prefix + name);

/** `organization.` and `card.` are part of the name, not a nested object (SEP-9). */
export const SEP9_FIELDS: readonly string[] = [
  ...names(PERSON),
  ...names(FINANCIAL),
  ...names(ORGANIZATION, 'organization.'),
  ...names(CARD, 'card.'),
];

/**
 * The SEP-9 values of a request. They go to the integration's `customers/prefill` and nowhere else: never into a row, a
 * log, a URL or an error.
 * @throws {BadRequest} when a value is no text, number or boolean, or is too long
 */
export function collectSep9(body: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  let length = 0;
  for (const name of SEP9_FIELDS) {
    const value = Object.hasOwn(body, name) ? body[name] : undefined;
    if (value === undefined || value === null || value === '') continue;
    fields[name] = readValue(name, value);
    length += fields[name].length;
  }
  if (Object.keys(fields).length > FIELD_LIMIT) {
    throw new BadRequest(`At most ${FIELD_LIMIT} SEP-9 fields can be sent.`);
  }
  if (length > FIELD_VALUES_LIMIT) {
    throw new BadRequest(`The SEP-9 fields are longer than ${FIELD_VALUES_LIMIT} characters together.`);
  }
  return fields;
}

function readValue(name: string, value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'boolean' && !Number.isSafeInteger(value)) {
    throw new BadRequest(`${name} must be text.`);
  }
  const text = String(value);
  if (text.length > FIELD_VALUE_LIMIT) {
    throw new BadRequest(`${name} is longer than ${FIELD_VALUE_LIMIT} characters.`);
  }
  if (text.includes('\0') || !text.isWellFormed()) throw new BadRequest(`${name} is no Unicode text.`);
  return text;
}
