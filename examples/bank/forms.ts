import {
  TEST_ID_PREFIX,
  type FormPage,
  type HookResponse,
  type IntegrationTransaction,
} from '../../integration/sdk.ts';
import type { Books } from './books.ts';
import type { Customer } from './rows.ts';

type Values = Readonly<Record<string, string>>;

/** Test transactions of `capstan check-integration` never enter the books. */
export const isReal = ({ id }: IntegrationTransaction): boolean => !id.startsWith(TEST_ID_PREFIX);

/** What the bank asks next, once of each customer; a page that the customer went back to shows what it was told. */
export function nextForm(
  books: Books,
  { account, accountMemo: memo = '' }: IntegrationTransaction,
  show: string | undefined,
): HookResponse<'interactive/form'> {
  const customer = books.customer(account, memo);
  if (!customer || show === 'customer') return customerPage(customer);
  const details = books.details(account, memo);
  if (!details || show === 'details') return detailsPage(details ?? {});
  return { done: true };
}

function customerPage(customer: Customer | undefined): FormPage {
  return {
    title: 'Who are you?',
    guidance: 'The bank asks once, for transfers in your name.',
    step: 'customer',
    progress: { at: 1, of: 2 },
    submitLabel: 'Continue',
    fields: [
      {
        type: 'text',
        name: 'first_name',
        label: 'First name',
        required: true,
        maxLength: 100,
        autocomplete: 'given-name',
        value: customer?.firstName,
      },
      {
        type: 'text',
        name: 'last_name',
        label: 'Last name',
        required: true,
        maxLength: 100,
        autocomplete: 'family-name',
        value: customer?.lastName,
      },
      {
        type: 'email',
        name: 'email_address',
        label: 'E-mail',
        required: true,
        maxLength: 200,
        autocomplete: 'email',
        value: customer?.email,
      },
    ],
  };
}

const SOURCES = [
  { value: 'salary', label: 'Salary' },
  { value: 'savings', label: 'Savings' },
  { value: 'sale', label: 'A sale' },
];
const CHANNELS = [
  { value: 'email', label: 'By e-mail' },
  { value: 'phone', label: 'By phone' },
];

const ADDRESS = ['address', 'city', 'state_or_province', 'postal_code', 'address_country_code'] as const;

/** Those of the names that have an answer. */
const answersTo = <Name extends string>(
  names: readonly Name[],
  values: Values,
): Partial<Record<Name, string>> =>
  Object.fromEntries(names.flatMap((name) => (values[name] ? [[name, values[name]]] : []))) as Partial<
    Record<Name, string>
  >;

/** Most kinds of fields that Capstan draws. A real bank would insist on some; the example does not keep anybody. */
function detailsPage(details: Values): FormPage {
  return {
    title: 'A few questions',
    guidance: 'All of them are optional at this bank.',
    step: 'details',
    back: 'customer',
    progress: { at: 2, of: 2 },
    submitLabel: 'Continue',
    fields: [
      {
        type: 'date',
        name: 'birth_date',
        label: 'Date of birth',
        min: '1900-01-01',
        value: details['birth_date'],
      },
      { type: 'country', name: 'nationality', label: 'Nationality', value: details['nationality'] },
      {
        type: 'address',
        name: 'home',
        label: 'Your address',
        value: answersTo(ADDRESS, details),
      },
      {
        type: 'select',
        name: 'source_of_funds',
        label: 'Where does the money come from?',
        options: SOURCES,
        value: details['source_of_funds'],
      },
      {
        type: 'radio',
        name: 'contact_by',
        label: 'How shall we reach you?',
        options: CHANNELS,
        value: details['contact_by'] ?? 'email',
      },
      { type: 'tel', name: 'mobile_number', label: 'Mobile number', value: details['mobile_number'] },
      {
        type: 'file',
        name: 'photo_id_front',
        label: 'Photo of your identity card',
        help: 'The example bank throws it away.',
        capture: 'environment',
      },
      {
        type: 'checkbox',
        name: 'news',
        label: 'Tell me about new services.',
        value: details['news'] === 'true',
      },
    ],
  };
}

/** Keeps what the customer wrote, or says what is wrong with it. */
export function submit(
  books: Books,
  {
    transaction,
    step,
    values,
  }: { transaction: IntegrationTransaction; step?: string | undefined; values: Values },
): HookResponse<'interactive/submit'> {
  return step === 'details'
    ? submitDetails(books, transaction, values)
    : submitCustomer(books, transaction, values);
}

function submitDetails(
  books: Books,
  transaction: IntegrationTransaction,
  values: Values,
): HookResponse<'interactive/submit'> {
  const { account, accountMemo: memo = '' } = transaction;
  const details = answersTo(Object.keys(values), values);
  if (isReal(transaction)) books.saveDetails({ account, memo, details });
  return { accepted: true };
}

function submitCustomer(
  books: Books,
  transaction: IntegrationTransaction,
  values: Values,
): HookResponse<'interactive/submit'> {
  const read = (name: string): string => (values[name] ?? '').trim();
  const [firstName, lastName, email] = [read('first_name'), read('last_name'), read('email_address')];
  const errors = {
    ...(isName(firstName) ? {} : { first_name: 'Write your first name.' }),
    ...(isName(lastName) ? {} : { last_name: 'Write your last name.' }),
    ...(isEmail(email) ? {} : { email_address: 'Write an e-mail address, for example name@example.com.' }),
  };
  if (Object.keys(errors).length > 0) return { errors };
  const { account, accountMemo: memo = '' } = transaction;
  if (isReal(transaction)) books.saveCustomer({ account, memo, firstName, lastName, email });
  return { accepted: true };
}

const isName = (text: string): boolean => /^[^\p{Cc}]{1,100}$/u.test(text);
const isEmail = (text: string): boolean => text.length <= 200 && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text);
