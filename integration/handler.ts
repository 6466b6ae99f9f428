import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  CONTRACT_PATH,
  hooks,
  isHookName,
  REQUEST_LIMIT_BYTES,
  RESPONSE_LIMIT_BYTES,
  TEST_ID_PREFIX,
  TIMESTAMP_TOLERANCE_SECONDS,
  type Hook,
  type HookName,
  type HookRequest,
  type HookResponse,
} from '../core/integration/contract.ts';
import { describeProblem } from '../core/integration/issues.ts';
import { decodeKeys, findSignatureProblem, type SigningKey } from '../core/integration/signature.ts';
import { HttpProblem, pathOf, readBody, sendJson } from './http.ts';
import { Effects, type IdempotencyStore, type Performed } from './idempotency.ts';

/** What a hook's function knows besides the request. */
export interface HookContext {
  /**
   * The same for every attempt to cause this effect. Hand it on to the bank: only then is the effect caused once even if
   * this process dies between the bank's yes and its own note of it.
   */
  readonly idempotencyKey: string;
  /** An earlier attempt was interrupted (only with a store): look up at the bank what became of it. */
  readonly isRepeat: boolean;
  /** The transaction is made up by `capstan check-integration`: move no money. */
  readonly isTest: boolean;
}

export type HookHandlers = {
  readonly [Name in HookName]?: (
    request: HookRequest<Name>,
    context: HookContext,
  ) => HookResponse<Name> | Promise<HookResponse<Name>>;
};

/** One served call, for a log: no part of any body. */
export interface ServedCall {
  readonly hook: string;
  readonly status: number;
  readonly durationMs: number;
  /** Why it was not served. */
  readonly problem?: string;
  /** What a hook's function threw. */
  readonly error?: unknown;
}

export interface HandlerOptions {
  readonly name: string;
  readonly version: string;
  /** `whsec_…` as Capstan has it; several while it is being replaced. */
  readonly key: string | readonly string[];
  readonly hooks: HookHandlers;
  /** Without it, hooks with an effect must themselves cope with being called twice. */
  readonly store?: IdempotencyStore;
  readonly onCall?: (call: ServedCall) => void;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
}

/** Answers a request of the contract; false if its path is none of the contract's. */
export type IntegrationHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/** Answers that changed nothing: the same call is to be considered anew next time. */
const UNDONE: ReadonlySet<unknown> = new Set(['retry', 'blocked', 'invalid']);
const SIGNATURE_PROBLEMS = {
  missing: 'The call is not signed: webhook-id, webhook-timestamp and webhook-signature are needed.',
  stale: 'The webhook-timestamp is more than five minutes off.',
  wrong: 'The signature does not match: the keys of Capstan and of this integration differ.',
} as const;

interface Serving extends HandlerOptions {
  readonly keys: readonly SigningKey[];
  readonly effects: Effects;
  readonly now: () => number;
}

/** The contract as a function on node:http, for a server of one's own; {@link serveIntegration} makes one. */
export function createIntegrationHandler(options: HandlerOptions): IntegrationHandler {
  const { now = Date.now } = options;
  const serving = { ...options, keys: decodeKeys(options.key), effects: new Effects(options.store), now };
  return async (request, response) => {
    const path = pathOf(request);
    if (path !== CONTRACT_PATH && !path.startsWith(`${CONTRACT_PATH}/`)) return false;
    const hook = path.slice(CONTRACT_PATH.length + 1);
    const startedAt = now();
    const served = await answer(serving, hook, request);
    sendJson(response, served.status, served.body);
    options.onCall?.({
      hook: hook === '' ? 'declaration' : isHookName(hook) ? hook : 'unknown',
      status: served.status,
      durationMs: now() - startedAt,
      ...served.why,
    });
    return true;
  };
}

interface Served {
  readonly status: number;
  readonly body: string;
  readonly why?: Pick<ServedCall, 'problem' | 'error'>;
}

async function answer(serving: Serving, hook: string, request: IncomingMessage): Promise<Served> {
  try {
    return { status: 200, body: await serve(serving, hook, request) };
  } catch (error) {
    if (!(error instanceof HttpProblem)) {
      const body = JSON.stringify({ error: 'The hook failed; see the log of the integration.' });
      return { status: 500, body, why: { problem: 'the hook threw', error } };
    }
    const { status, message, problem } = error;
    const body = JSON.stringify({ error: message, ...(problem === undefined ? {} : { problem }) });
    return { status, body, why: { problem: problem ?? message } };
  }
}

async function serve(serving: Serving, hook: string, request: IncomingMessage): Promise<string> {
  const expected = hook === '' ? 'GET' : 'POST';
  if (request.method !== expected) throw new HttpProblem(405, `Use ${expected}.`);
  const body = await readBody(request, REQUEST_LIMIT_BYTES);
  const problem = findSignatureProblem(serving.keys, request.headers, body, {
    nowMs: serving.now(),
    toleranceSeconds: TIMESTAMP_TOLERANCE_SECONDS,
  });
  if (problem) throw new HttpProblem(401, SIGNATURE_PROBLEMS[problem]);
  if (hook === '') return declare(serving);
  if (!isHookName(hook) || !serving.hooks[hook]) throw new HttpProblem(404, 'This hook is not served here.');
  const input = readRequest(hook, request, body);
  return await dispatch(serving, hook, input, String(request.headers['webhook-id']));
}

function declare({ name, version, hooks: handlers }: Serving): string {
  const served = Object.keys(handlers).filter((hook) => isHookName(hook) && handlers[hook] !== undefined);
  return JSON.stringify({ name, version, hooks: served });
}

function readRequest(hook: HookName, request: IncomingMessage, body: Buffer): Record<string, unknown> {
  const { headers } = request;
  if (!/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '')) {
    throw new HttpProblem(415, 'Send application/json.');
  }
  const key = headers['idempotency-key'];
  if (key !== undefined && key !== headers['webhook-id']) {
    throw new HttpProblem(400, 'The idempotency-key is not the signed webhook-id.');
  }
  const json = parseJson(body);
  if (!isObject(json)) throw new HttpProblem(400, 'The body is not a JSON object.');
  if (json['hook'] !== hook) throw new HttpProblem(400, 'The call was signed for another hook.');
  const schema: Hook['request'] = hooks[hook].request;
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new HttpProblem(400, 'The request breaks the contract.', describeProblem(parsed.error));
  }
  return parsed.data;
}

async function dispatch(
  serving: Serving,
  hook: HookName,
  request: Record<string, unknown>,
  key: string,
): Promise<string> {
  const isTest = idsOf(request).some((id) => id.startsWith(TEST_ID_PREFIX));
  const perform = async (isRepeat: boolean): Promise<Performed> => {
    // Each function was matched with its request by the schema of the same row; the union cannot say so.
    const handle = serving.hooks[hook] as (request: unknown, context: HookContext) => unknown;
    return checkAnswer(hook, await handle(request, { idempotencyKey: key, isRepeat, isTest }));
  };
  if (!hooks[hook].effect) return (await perform(false)).answer;
  return await serving.effects.run({ key, hook, request, perform });
}

function checkAnswer(hook: HookName, given: unknown): Performed {
  const schema: Hook['response'] = hooks[hook].response;
  const parsed = schema.safeParse(given ?? {});
  const sentence = 'The answer of this integration breaks the contract.';
  if (!parsed.success) throw new HttpProblem(500, sentence, describeProblem(parsed.error));
  const text = JSON.stringify(parsed.data);
  if (Buffer.byteLength(text) > RESPONSE_LIMIT_BYTES) {
    throw new HttpProblem(500, sentence, `it is larger than ${RESPONSE_LIMIT_BYTES} bytes`);
  }
  return { answer: text, isUndone: UNDONE.has(parsed.data['outcome']) };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    throw new HttpProblem(400, 'The body is not JSON in UTF-8.');
  }
}

function idsOf({ transaction, deposits, withdrawals }: Record<string, unknown>): string[] {
  const all: unknown[] = [transaction, deposits, withdrawals].flat();
  return all.flatMap((one) => (isObject(one) && typeof one['id'] === 'string' ? [one['id']] : []));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
