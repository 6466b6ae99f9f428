import { randomUUID } from 'node:crypto';
import type { Clock } from '../runtime/clock.ts';
import { Caller, type CallOutcome } from './caller.ts';
import { Circuit, type CircuitState } from './circuit.ts';
import { CONTRACT_PATH, hooks, type EffectHook, type HookName, type HookRequest } from './contract.ts';
import { DeclarationCache, readDeclaration, type KnownDeclaration } from './declaration.ts';
import { HookNotDeclared, IntegrationRequestInvalid, InvalidIntegrationUrl } from './errors.ts';
import { createExchange } from './exchange.ts';
import { Limiter } from './limiter.ts';
import { prepare, type HookAnswer } from './messages.ts';
import { decodeKeys } from './signature.ts';

export type { CallOutcome } from './caller.ts';
export type { KnownDeclaration } from './declaration.ts';
export type { HookAnswer, Malformed } from './messages.ts';
export * from './errors.ts';

export interface IntegrationClientOptions {
  /** `http(s)://host[:port][/prefix]`, without credentials, query or fragment. */
  readonly baseUrl: string;
  /** `whsec_…`; several while the key is being replaced, the call is signed with each. */
  readonly key: string | readonly string[];
  readonly clock: Clock;
  /** For one call with its wait for a place and all attempts. Default 10 s. */
  readonly deadlineMs?: number;
  /** Calls at the same time. Default 10; as many again ten times may wait. */
  readonly concurrency?: number;
  /** Attempts of one call within its deadline. Default 3. */
  readonly attempts?: number;
  /** So many failed calls in a row open the circuit, for so long. Default 5, and 15 s. */
  readonly circuit?: { readonly threshold?: number; readonly openMs?: number };
  /** How long a declaration is believed before it is asked again. Default 60 s. */
  readonly declarationTtlMs?: number;
  /** Certificates (PEM) to trust instead of the system's. */
  readonly ca?: string;
  /** 0 (inclusive) to 1, for the jitter between attempts. */
  readonly random?: () => number;
  readonly onCall?: (hook: HookName | 'declaration', outcome: CallOutcome, durationMs: number) => void;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /**
   * The same for every attempt to cause the same effect, whoever makes it and whenever: letters, digits and `_:/-`, at most
   * 200. It is the call's webhook-id too.
   */
  readonly idempotencyKey?: string;
}

/** A hook with an effect cannot be called without a key. */
export type CallArguments<Name extends HookName> = Name extends EffectHook
  ? [options: CallOptions & { readonly idempotencyKey: string }]
  : [options?: CallOptions];

export interface IntegrationClient {
  /** What the integration serves; asked at most once a minute, and believed on while it is away. */
  declaration(): Promise<KnownDeclaration>;
  /** Whether the integration serves the hook; if not, Capstan's default does. */
  has(hook: HookName): Promise<boolean>;
  /**
   * Calls a hook and checks what it answers.
   * @throws {IntegrationUnavailable} try again later, with the same key; {@link CircuitOpen} is one of them
   * @throws {IntegrationMisbehaved} the answer breaks the contract, or the integration refuses the call
   * @throws {HookNotDeclared} use the default
   * @throws {IntegrationRequestInvalid} nothing was sent
   * @throws the reason of `signal`
   */
  call<Name extends HookName>(
    hook: Name,
    request: HookRequest<Name>,
    ...options: CallArguments<Name>
  ): Promise<HookAnswer<Name>>;
  /** For metrics. */
  readonly circuit: CircuitState;
  readonly running: number;
  readonly waiting: number;
  /** Drops all connections; calls under way fail. */
  close(): Promise<void>;
}

const IDEMPOTENCY_KEY = /^[\w:/-]{1,200}$/;
/** A caller's place in the queue is worth this many places at work. */
const QUEUE_FACTOR = 10;

/** @throws {InvalidIntegrationKey | InvalidIntegrationUrl} */
export function createIntegrationClient(options: IntegrationClientOptions): IntegrationClient {
  const { clock, deadlineMs = 10_000, concurrency = 10, ca, onCall = () => {} } = options;
  const url = readBaseUrl(options.baseUrl);
  const limiter = new Limiter({ concurrency, queue: concurrency * QUEUE_FACTOR });
  const { threshold = 5, openMs = 15_000 } = options.circuit ?? {};
  const circuit = new Circuit({ clock, threshold, openMs });
  const exchange = createExchange({
    origin: url.origin,
    connections: concurrency,
    connectTimeoutMs: deadlineMs,
    ...(ca === undefined ? {} : { ca }),
  });
  const keys = decodeKeys(options.key);
  const { attempts = 3, random = Math.random, declarationTtlMs = 60_000 } = options;
  const caller = new Caller({
    clock,
    exchange,
    keys,
    limiter,
    circuit,
    deadlineMs,
    attempts,
    random,
    onCall,
  });
  const path = url.pathname.replace(/\/$/, '') + CONTRACT_PATH;
  const declarations = new DeclarationCache({
    clock,
    ttlMs: declarationTtlMs,
    load: () => caller.call({ hook: 'declaration', id: newId(), method: 'GET', path, read: readDeclaration }),
  });
  const has = async (hook: HookName): Promise<boolean> => (await declarations.get()).hooks.includes(hook);
  return {
    declaration: () => declarations.get(),
    has,
    async call(hook, request, ...[callOptions]) {
      const { idempotencyKey, signal }: CallOptions = callOptions ?? {};
      const id = hooks[hook].effect ? checkKey(hook, idempotencyKey) : newId();
      const { body, read } = prepare(hook, request);
      if (!(await has(hook))) throw new HookNotDeclared(hook);
      return await caller.call({
        hook,
        id,
        isEffect: hooks[hook].effect,
        method: 'POST',
        path: `${path}/${hook}`,
        body,
        read,
        ...(signal ? { signal } : {}),
      });
    },
    get circuit() {
      return circuit.state;
    },
    get running() {
      return limiter.running;
    },
    get waiting() {
      return limiter.waiting;
    },
    close: () => exchange.close(),
  };
}

const newId = (): string => `msg_${randomUUID()}`;

function checkKey(hook: string, key: string | undefined): string {
  if (key !== undefined && IDEMPOTENCY_KEY.test(key)) return key;
  throw new IntegrationRequestInvalid(
    hook,
    'it has an effect and needs an idempotency key of [A-Za-z0-9_:/-]{1,200}',
  );
}

function readBaseUrl(text: string): URL {
  const url = URL.parse(text);
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!url || !isPlain || !['http:', 'https:'].includes(url.protocol)) throw new InvalidIntegrationUrl();
  return url;
}
