import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveIntegration, type FormPage, type HookHandlers } from '../../integration/sdk.ts';

/** A business's container with every hook that the server calls, and a switch that takes it away. */
export interface FuzzIntegration {
  readonly url: string;
  /** `whsec_…` */
  readonly key: string;
  /** `closed`: nobody listens; `hang`: calls are taken and never answered; null: all is well again. */
  fail(kind: 'closed' | 'hang' | null): Promise<void>;
  /** What one of the hooks threw or was refused, in words. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

/** The customer names, on the first page, which way the rest goes: every screen of the server is met. */
const PERSON: FormPage = {
  title: 'Who are you?',
  guidance: 'Asked once.\n\nFor transfers in your name.',
  step: 'person',
  fields: [
    { type: 'text', name: 'first_name', label: 'First name', required: true, maxLength: 40 },
    { type: 'email', name: 'email_address', label: 'E-mail' },
    { type: 'tel', name: 'mobile_number', label: 'Telephone', maxLength: 30 },
    { type: 'date', name: 'birth_date', label: 'Born on', min: '1900-01-01', max: '2020-12-31' },
    { type: 'country', name: 'address_country_code', label: 'Country' },
    { type: 'checkbox', name: 'terms', label: 'I agree <b>', required: true },
  ],
};
const MONEY: FormPage = {
  title: 'The transfer & its "purpose"',
  step: 'money',
  fields: [
    { type: 'amount', name: 'limit', label: 'Your own limit', min: '1', max: '1000' },
    { type: 'number', name: 'number_of_transfers', label: 'Transfers a year', min: '0', max: '99' },
    {
      type: 'select',
      name: 'bank_account_type',
      label: 'Account',
      required: true,
      options: [
        { value: 'checking', label: 'Checking' },
        { value: 'savings', label: 'Savings' },
      ],
    },
    { type: 'radio', name: 'sex', label: 'Sex', options: [{ value: 'other', label: 'Other' }] },
    { type: 'textarea', name: 'occupation', label: 'What for?', maxLength: 200 },
  ],
};
const AMOUNT: FormPage = {
  title: 'How much?',
  step: 'amount',
  fields: [{ type: 'amount', name: 'amount', label: 'Amount', required: true }],
};

/** Of eight transactions: two go to the bank's own pages, two begin with the bank's form for the amount. */
const wayOf = (id: string): number => Number.parseInt(id.slice(0, 2), 16) % 8;

const hooks: HookHandlers = {
  'interactive/form': ({ transaction, step }) => {
    if (step === undefined) return wayOf(transaction.id) < 4 ? AMOUNT : PERSON;
    if (step === 'amount') return PERSON;
    return step === 'person' ? MONEY : { done: true };
  },
  'interactive/submit': ({ values, step }) => {
    if (values['first_name']?.startsWith('Nobody') === true) {
      return {
        errors: { first_name: 'Nobody is not a name <i>.', unknown_field: 'Something else.' },
        message: 'Look again.',
      };
    }
    if (step === 'money') return { accepted: true, customerId: 'customer 1' };
    return values['birth_date'] === undefined ? { accepted: true } : { accepted: true, kyc: 'pending' };
  },
  'interactive/url': ({ transaction }) =>
    wayOf(transaction.id) < 2 ? { url: 'https://pages.bank.example/start?x=1' } : { builtIn: true },
  'interactive/completed': ({ query = {} }) => {
    if (query['later'] !== undefined) return { accepted: false, message: 'Not yet <b>.' };
    return query['some'] === undefined
      ? { accepted: true }
      : { accepted: true, amount: '25', kyc: 'pending' };
  },
  'interactive/instructions': ({ transaction }) => ({
    how: [{ label: 'Account', value: 'DE00 <1234>', copy: true }],
    text: `For ${transaction.id}\nwith "quotes" & more`,
  }),
  fee: ({ amount }) =>
    Number(amount) > 5_000
      ? { total: '7', details: [] }
      : { total: '1.5', details: [{ name: 'Bank <b>', amount: '1.5', description: '"all in"' }] },
  toml: () => ({ toml: 'ORG_TAGLINE = "fuzzed"\n' }),
  'customers/prefill': ({ fields }) =>
    fields['first_name'] === undefined
      ? { errors: { first_name: 'Your name is missing.' } }
      : { accepted: true, customerId: `known by ${Object.keys(fields).length} fields` },
};

export async function startFuzzIntegration(): Promise<FuzzIntegration> {
  const key = `whsec_${randomBytes(32).toString('base64')}`;
  const port = await freePort();
  const problems: string[] = [];
  const serve = (handlers: HookHandlers) =>
    serveIntegration({
      name: 'fuzzed bank',
      version: '1',
      key,
      hooks: handlers,
      port,
      host: '127.0.0.1',
      onCall: ({ hook, problem, error }) => {
        if (problem !== undefined)
          problems.push(`${hook}: ${problem} ${error instanceof Error ? error.message : ''}`);
      },
    });
  const hanging = Object.fromEntries(Object.keys(hooks).map((hook) => [hook, () => new Promise(() => {})]));
  let running: Awaited<ReturnType<typeof serve>> | undefined = await serve(hooks);
  const stop = async (): Promise<void> => {
    await running?.close(0);
    running = undefined;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    key,
    problems,
    async fail(kind) {
      await stop();
      if (kind !== 'closed') running = await serve(kind === 'hang' ? hanging : hooks);
    },
    close: stop,
  };
}

/** A port that can be given up and taken again. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}
