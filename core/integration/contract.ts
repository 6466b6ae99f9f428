import { z } from 'zod';
import { depositsCompleted, depositsPoll, depositsRefund } from './contract/deposits.ts';
import {
  interactiveCompleted,
  interactiveForm,
  interactiveInstructions,
  interactiveSubmit,
  interactiveUpload,
  interactiveUrl,
} from './contract/interactive.ts';
import { customersPrefill, fee, toml, trustlinesAuthorize } from './contract/rules.ts';
import { withdrawalsPoll, withdrawalsProcess } from './contract/withdrawals.ts';
import type { depositResult } from './contract/deposits.ts';
import type { field, formPage } from './contract/form.ts';
import type { transaction } from './contract/transaction.ts';
import type { withdrawalResult } from './contract/withdrawals.ts';
import { line } from './contract/values.ts';

export { TEST_ID_PREFIX } from './contract/transaction.ts';

/**
 * The integration contract, version 1: what Capstan asks of a business's own container. `GET {base}` answers a
 * {@link Declaration}; each hook is `POST {base}/{hook}` with a JSON body `{ "hook": "<its name>", …request }`. The name
 * is inside because the Standard Webhooks signature covers id, time and body but not the URL: without it a captured
 * call could be sent to another hook.
 */
export const CONTRACT_PATH = '/capstan/v1';
/** The largest body of a call, and of an answer, in bytes. */
export const REQUEST_LIMIT_BYTES = 2 * 1024 * 1024;
export const RESPONSE_LIMIT_BYTES = 1024 * 1024;
/** How far the `webhook-timestamp` of a call may be from the integration's clock (Standard Webhooks). */
export const TIMESTAMP_TOLERANCE_SECONDS = 300;

/** What Capstan cannot do without: a hook that is required for one of these, or for nothing. */
type RequiredFor = 'deposits' | 'withdrawals';

/** One row of the contract's table. */
export interface Hook {
  readonly request: z.ZodType<Record<string, unknown>>;
  readonly response: z.ZodType<Record<string, unknown>>;
  /** The call changes something outside: it carries an idempotency key and is at-least-once under that key. */
  readonly effect: boolean;
  readonly requiredFor?: RequiredFor;
  readonly when: string;
  /** What Capstan does when the integration does not declare the hook. */
  readonly fallback: string;
}

export const hooks = {
  'deposits/poll': {
    ...depositsPoll,
    effect: false,
    requiredFor: 'deposits',
    when: 'Each interval, with every deposit that waits for you (also under review, on hold, or lately expired), in pages of at most 200.',
    fallback: 'Required for deposits.',
  },
  'deposits/completed': {
    ...depositsCompleted,
    effect: true,
    when: 'After the payout is proven on the ledger; again and again until you answer 2xx.',
    fallback: 'Nothing.',
  },
  'deposits/refund': {
    ...depositsRefund,
    effect: true,
    when: 'Money came in that cannot be paid out (outside the limits, refused by you, its trustline refused), or an operator sends it back. Nothing pays it out from then on.',
    fallback: 'The deposit is held: an operator has it sent back by hand and records it.',
  },
  'withdrawals/process': {
    ...withdrawalsProcess,
    effect: true,
    requiredFor: 'withdrawals',
    when: 'The customer’s tokens are received, final on the ledger and matched to this withdrawal: pay out.',
    fallback: 'Required for withdrawals.',
  },
  'withdrawals/poll': {
    ...withdrawalsPoll,
    effect: false,
    when: 'Each interval, with every withdrawal that waits for you, in pages of at most 200.',
    fallback: 'It stays until an operator acts.',
  },
  'trustlines/authorize': {
    ...trustlinesAuthorize,
    effect: true,
    when: 'A deposit waits for the authorisation of a trustline (asset with AUTH_REQUIRED); once each time that it is tried.',
    fallback: 'An operator authorises it at the issuer, or sends the money back.',
  },
  'interactive/form': {
    ...interactiveForm,
    effect: false,
    when: 'The customer’s page needs its next form; also after each accepted submission.',
    fallback: 'A form that asks for the amount and shows the fee.',
  },
  'interactive/submit': {
    ...interactiveSubmit,
    effect: true,
    when: 'The customer submitted a page of your form.',
    fallback: 'Everything is accepted.',
  },
  'interactive/upload': {
    ...interactiveUpload,
    effect: true,
    when: 'The customer sends a file that your form asks for: once for each part of it, before the page is submitted.',
    fallback: 'Forms that ask for files cannot be shown.',
  },
  'interactive/url': {
    ...interactiveUrl,
    effect: false,
    when: 'The customer opens the transaction: you may send the browser to your own pages.',
    fallback: 'Capstan’s pages.',
  },
  'interactive/completed': {
    ...interactiveCompleted,
    effect: true,
    when: 'The customer came back from your own pages.',
    fallback: 'The customer goes on with Capstan’s pages.',
  },
  'interactive/instructions': {
    ...interactiveInstructions,
    effect: false,
    when: 'The page of a deposit that waits for the customer’s money is shown.',
    fallback: 'No instructions.',
  },
  fee: {
    ...fee,
    effect: false,
    when: 'A fee is quoted.',
    fallback: 'The asset’s fixed and percentage fee.',
  },
  toml: {
    ...toml,
    effect: false,
    when: 'The stellar.toml is made; your values are merged over the generated ones.',
    fallback: 'The generated file.',
  },
  'customers/prefill': {
    ...customersPrefill,
    effect: true,
    when: 'A wallet sent SEP-9 values with its request.',
    fallback: 'They are ignored.',
  },
} as const satisfies Record<string, Hook>;

export type HookName = keyof typeof hooks;
export type HookRequest<Name extends HookName> = z.infer<(typeof hooks)[Name]['request']>;
export type HookResponse<Name extends HookName> = z.infer<(typeof hooks)[Name]['response']>;
/** Hooks whose calls need an idempotency key. */
export type EffectHook = {
  [Name in HookName]: (typeof hooks)[Name]['effect'] extends true ? Name : never;
}[HookName];
/** Hooks that carry pages of transactions: one bad result never harms the others of its page. */
export type PollHook = 'deposits/poll' | 'withdrawals/poll';

/** A transaction as the integration sees it; amounts are decimal strings. */
export type IntegrationTransaction = z.infer<typeof transaction>;
export type DepositResult = z.infer<typeof depositResult>;
export type WithdrawalResult = z.infer<typeof withdrawalResult>;
export type WithdrawalOutcome = HookResponse<'withdrawals/process'>;
export type FormPage = z.infer<typeof formPage>;
export type FormField = z.infer<typeof field>;

export const hookNames: readonly HookName[] = Object.keys(hooks).filter(isHookName);

export function isHookName(name: string): name is HookName {
  return Object.hasOwn(hooks, name);
}

/** What `GET /capstan/v1` answers. Hooks that this Capstan does not know are allowed, and not called. */
export const declaration = z
  .object({
    name: line(100).meta({ description: 'The integration’s name.' }),
    version: line(100).meta({ description: 'The integration’s own version.' }),
    hooks: z.array(z.string().min(1).max(100)).max(100).meta({ description: 'The hooks that it serves.' }),
  })
  .meta({ id: 'Declaration' });
