import { z } from 'zod';
import {
  hooks,
  REQUEST_LIMIT_BYTES,
  type Hook,
  type HookName,
  type HookRequest,
  type HookResponse,
  type PollHook,
} from './contract.ts';
import { depositResult } from './contract/deposits.ts';
import { pageTransaction } from './contract/transaction.ts';
import { POLL_PAGE_LIMIT } from './contract/values.ts';
import { withdrawalResult } from './contract/withdrawals.ts';
import { IntegrationMisbehaved, IntegrationRequestInvalid } from './errors.ts';
import { describeProblem } from './issues.ts';

/**
 * What goes over the wire and what comes back, checked. On a page of a poll each transaction and each result stands for
 * itself: one that is wrong is set aside and named, the others go on.
 */

/** A transaction of a page that was set aside: not sent, or its result not taken. */
export interface Malformed {
  /** Absent where not even the id can be read. */
  readonly id?: string;
  readonly problem: string;
  /** Who broke the contract. */
  readonly by: 'capstan' | 'integration';
}

export type HookAnswer<Name extends HookName> = Name extends PollHook
  ? HookResponse<Name> & { readonly malformed: readonly Malformed[] }
  : HookResponse<Name>;

/** A request ready to be signed, and how its answer is to be read. */
export interface Prepared<Name extends HookName> {
  readonly body: string;
  /** @throws {IntegrationMisbehaved} */
  readonly read: (answer: unknown) => HookAnswer<Name>;
}

/** @throws {IntegrationRequestInvalid} if the request (but for single transactions of a page) breaks the contract. */
export function prepare<Name extends HookName>(hook: Name, request: HookRequest<Name>): Prepared<Name> {
  // The table is typed by its rows; a union of hooks cannot be followed through it.
  const prepared = hook in pages ? preparePage(hook as PollHook, request) : prepareOne(hook, request);
  return prepared as Prepared<Name>;
}

function prepareOne(hook: HookName, request: unknown): Prepared<HookName> {
  const { request: schema, response }: Hook = hooks[hook];
  const parsed = schema.safeParse(request);
  if (!parsed.success) throw new IntegrationRequestInvalid(hook, describeProblem(parsed.error));
  return {
    body: encode(hook, parsed.data),
    read: (answer) => read(hook, response, answer) as HookAnswer<HookName>,
  };
}

// Made once: zod compiles a schema when it is first used, which costs as much as the check of a page.
const items = z.array(z.unknown()).max(POLL_PAGE_LIMIT);
const answered = z.strictObject({ results: items });
const named = z.object({ id: z.string().max(64) });
const pages = {
  'deposits/poll': { key: 'deposits', request: z.object({ deposits: items }), result: depositResult },
  'withdrawals/poll': {
    key: 'withdrawals',
    request: z.object({ withdrawals: items }),
    result: withdrawalResult,
  },
} as const;

function preparePage(hook: PollHook, request: unknown): Prepared<PollHook> {
  const { key, request: schema, result } = pages[hook];
  const page = schema.safeParse(request);
  if (!page.success) throw new IntegrationRequestInvalid(hook, describeProblem(page.error));
  const asked = new Map<string, z.infer<typeof pageTransaction>>();
  const malformed: Malformed[] = [];
  for (const item of Object.values(page.data).flat()) {
    const parsed = pageTransaction.safeParse(item);
    if (parsed.success) asked.set(parsed.data.id, parsed.data);
    else malformed.push(setAside(item, describeProblem(parsed.error), 'capstan'));
  }
  return {
    body: encode(hook, { [key]: [...asked.values()] }),
    read: (answer) => readPage(hook, result, answer, { asked: new Set(asked.keys()), malformed }),
  };
}

function readPage(
  hook: PollHook,
  schema: z.ZodType<{ id: string }>,
  answer: unknown,
  { asked, malformed }: { asked: ReadonlySet<string>; malformed: readonly Malformed[] },
): HookAnswer<PollHook> {
  const { results: told } = read(hook, answered, answer);
  const results = new Map<string, { id: string }>();
  const wrong = [...malformed];
  const contradicted = new Set<string>();
  for (const item of told) {
    const parsed = schema.safeParse(item);
    if (!parsed.success) wrong.push(setAside(item, describeProblem(parsed.error), 'integration'));
    else if (!asked.has(parsed.data.id)) wrong.push(setAside(item, 'it was not asked for', 'integration'));
    else if (results.has(parsed.data.id)) contradicted.add(parsed.data.id);
    else results.set(parsed.data.id, parsed.data);
  }
  for (const id of contradicted) {
    results.delete(id);
    wrong.push({ id, problem: 'it has more than one result', by: 'integration' });
  }
  return { results: [...results.values()], malformed: wrong } as unknown as HookAnswer<PollHook>;
}

function read<T>(hook: string, schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new IntegrationMisbehaved(hook, describeProblem(parsed.error));
  return parsed.data;
}

function setAside(item: unknown, problem: string, by: Malformed['by']): Malformed {
  const parsed = named.safeParse(item);
  return parsed.success ? { id: parsed.data.id, problem, by } : { problem, by };
}

function encode(hook: HookName, request: Record<string, unknown>): string {
  const body = JSON.stringify({ hook, ...request });
  const size = Buffer.byteLength(body);
  if (size > REQUEST_LIMIT_BYTES) {
    throw new IntegrationRequestInvalid(hook, `it has ${size} bytes, more than ${REQUEST_LIMIT_BYTES}`);
  }
  return body;
}
