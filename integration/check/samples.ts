import { randomUUID } from 'node:crypto';
import {
  TEST_ID_PREFIX,
  type HookName,
  type HookRequest,
  type IntegrationTransaction,
} from '../../core/integration/contract.ts';

/**
 * Made-up requests, one for each hook. The account is that of the all-zero public key: nobody holds its secret.
 */
const ACCOUNT = 'GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF';
const ASSET = { code: 'TEST', issuer: ACCOUNT };
const RECEIPT = { stellarTransactionId: '0'.repeat(64), amount: '25', from: ACCOUNT };

export function sampleTransaction(
  kind: IntegrationTransaction['kind'],
  changes: Partial<IntegrationTransaction> = {},
): IntegrationTransaction {
  return {
    id: `${TEST_ID_PREFIX}${randomUUID()}`,
    kind,
    status: kind === 'deposit' ? 'pending_user_transfer_start' : 'pending_anchor',
    asset: ASSET,
    amountExpected: '25',
    account: ACCOUNT,
    accountMemo: '1',
    createdAt: new Date().toISOString(),
    lang: 'en',
    ...changes,
  };
}

/** A value for every name that a form may ask: what SEP-9 calls it. */
const FIELDS = { first_name: 'Capstan', last_name: 'Check', email_address: 'check@example.com' };

/** One transparent pixel. */
const SMALLEST_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

type Samples = { readonly [Name in HookName]: () => HookRequest<Name> };

/** A fresh request for each hook, by the contract. */
export const samples: Samples = {
  'deposits/poll': () => ({
    deposits: [sampleTransaction('deposit'), sampleTransaction('deposit', { status: 'on_hold' })],
  }),
  'deposits/completed': () => ({
    transaction: sampleTransaction('deposit', { status: 'completed', amountIn: '25', amountOut: '24' }),
    payout: { ...RECEIPT, amount: '24', to: ACCOUNT },
  }),
  'deposits/refund': () => ({
    transaction: sampleTransaction('deposit', { status: 'pending_anchor', amountIn: '25' }),
    amount: '25',
    reason: 'capstan check-integration',
  }),
  'withdrawals/process': () => ({
    transaction: sampleTransaction('withdrawal', {
      amountIn: '25',
      amountFee: '1',
      amountOut: '24',
      fields: FIELDS,
    }),
    receipt: RECEIPT,
    payoutAmount: '24',
  }),
  'withdrawals/poll': () => ({
    withdrawals: [
      sampleTransaction('withdrawal', { status: 'pending_external' }),
      sampleTransaction('withdrawal', { status: 'on_hold' }),
    ],
  }),
  'trustlines/authorize': () => ({
    asset: ASSET,
    account: ACCOUNT,
    transaction: sampleTransaction('deposit'),
  }),
  'interactive/form': () => ({
    transaction: sampleTransaction('deposit', { status: 'incomplete' }),
    lang: 'en',
  }),
  'interactive/submit': () => ({
    transaction: sampleTransaction('deposit', { status: 'incomplete' }),
    values: FIELDS,
    lang: 'en',
  }),
  'interactive/upload': () => ({
    transaction: sampleTransaction('deposit', { status: 'incomplete' }),
    field: 'photo_id_front',
    upload: randomUUID(),
    name: 'photo.png',
    contentType: 'image/png',
    part: 0,
    isLast: true,
    data: SMALLEST_PNG,
    lang: 'en',
  }),
  'interactive/url': () => ({
    transaction: sampleTransaction('deposit', { status: 'incomplete' }),
    lang: 'en',
    returnUrl: 'https://anchor.example/interactive/return',
  }),
  'interactive/completed': () => ({
    transaction: sampleTransaction('deposit', { status: 'incomplete' }),
    lang: 'en',
    query: {},
  }),
  'interactive/instructions': () => ({ transaction: sampleTransaction('deposit'), lang: 'en' }),
  fee: () => ({ operation: 'deposit', asset: ASSET, amount: '25', lang: 'en' }),
  toml: () => ({}),
  'customers/prefill': () => ({
    transaction: sampleTransaction('deposit', { status: 'incomplete' }),
    fields: FIELDS,
    lang: 'en',
  }),
};

/** The body as it is signed. */
export function bodyOf(hook: HookName, request: object): string {
  return JSON.stringify({ hook, ...request });
}
