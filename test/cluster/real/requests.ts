import { Agent, fetch as undiciFetch } from 'undici';
import { complaintOf } from '../../../examples/wallet/html-form.ts';

/** A request that did not get the answer that a wallet may expect, or a step that did not go on though all requests were answered. */
export interface Failure {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Method and path, or the step's name. */
  readonly what: string;
  readonly why: string;
}

/** Is told of each request of a customer, and of each that failed. */
export interface Listener {
  readonly onRequest: () => void;
  readonly onFailure: (failure: Failure) => void;
}

/** To one host. */
export interface Way {
  readonly address: string;
  /** The authority's certificate, PEM. */
  readonly ca: string;
}

export interface Client {
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

type Send = (
  input: Parameters<typeof fetch>[0],
  init: Omit<RequestInit, 'dispatcher'> & { readonly dispatcher: Agent },
) => Promise<Response>;

/** Node's own fetch is an older undici, whose types are not those of the package. */
const send = undiciFetch as unknown as Send;
const DEADLINE_MS = 15_000;

/**
 * A customer's device: connections of its own to one host, whose address it is told, trusting one authority.
 *
 * No request is sent twice. Connections are kept alive as undici does by itself: it takes a connection that the server has closed in
 * the meantime, or is about to by its Keep-Alive header, for gone, and opens another before it sends. That is what RFC 9112, 9.3 and 9.6
 * leave to clients; a request that was sent and met the close is a failure here, although many clients would repeat it.
 */
export function createClient({ address, ca }: Way, { onRequest, onFailure }: Listener): Client {
  const agent = new Agent({
    connect: {
      ca,
      lookup: (_host, _options, found) => found(null, [{ address, family: 4 }]),
    },
  });
  return {
    async fetch(input, init) {
      const what = describeRequest(input, init);
      onRequest();
      const fail = (why: string): void => onFailure({ atMs: Date.now(), what, why });
      const deadline = AbortSignal.timeout(DEADLINE_MS);
      try {
        const answer = await send(input, { signal: deadline, ...init, dispatcher: agent });
        // The body belongs to the request: what breaks off in it has failed as well.
        const body = await answer.arrayBuffer();
        if (answer.status >= 400)
          fail(`${answer.status} ${complaintOf(Buffer.from(body).toString()).slice(0, 200)}`);
        const { status, headers } = answer;
        return new Response(body.byteLength === 0 ? null : body, {
          status,
          headers: [...headers],
        });
      } catch (error) {
        fail(reasonOf(error));
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

/** Without the query, which may carry a token. */
function describeRequest(input: Parameters<typeof fetch>[0], init: RequestInit | undefined): string {
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  return `${init?.method ?? 'GET'} ${pathname}`;
}

/** What lies below undici's "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as NodeJS.ErrnoException;
  return code === undefined ? cause.message : `${code}: ${cause.message}`;
}
