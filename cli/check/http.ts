import { getCACertificates } from 'node:tls';
import { Agent, fetch, getSetCookies, type BodyInit, type Headers } from 'undici';
import { fieldsOf, NotChecked } from './rule.ts';

/** What an answer is for: rules about all answers of the API must not judge pages. */
export type Purpose = 'toml' | 'api' | 'page' | 'preflight' | 'other';

export interface Answer {
  readonly purpose: Purpose;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed, whatever the content type says; undefined if it is no JSON. */
  readonly json: unknown;
  /** By our clock, when the request was sent and when the answer was whole; milliseconds since the epoch. */
  readonly sentAtMs: number;
  readonly cameAtMs: number;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'OPTIONS';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
  readonly purpose?: Purpose;
}

/** Sends what a wallet in a browser would and keeps every answer. Redirects are not followed. */
export interface Http {
  send(url: string, options?: RequestOptions): Promise<Answer>;
  /** Opens a page like a fresh browser: cookies, up to ten redirects. */
  open(url: string): Promise<Answer>;
  readonly journal: readonly Answer[];
  close(): Promise<void>;
}

export interface HttpOptions {
  /** PEM of a further certificate authority to trust. */
  readonly ca?: string;
  /** For each request. Default 15 s. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** The other side gave no answer at all: no DNS, no TLS, a cut connection, or too late. */
export class NoAnswer extends Error {
  constructor(url: string, why: string) {
    super(
      `Expected an answer from ${url}. Came: ${why}. Check that it runs and that its certificate is trusted.`,
    );
    this.name = 'NoAnswer';
  }
}

/** A page of some wallet. An anchor may answer CORS headers only to requests that carry an Origin. */
export const WALLET_ORIGIN = 'https://wallet.example';
const MAX_BODY_BYTES = 2_000_000;
const MAX_REDIRECTS = 10;
/** Rate limits are not what is checked: a few times, they are waited for. */
const MAX_WAITS = 5;
const MAX_WAIT_SECONDS = 20;

export function createHttp({ ca, deadlineMs = 15_000, signal, now = Date.now }: HttpOptions): Http {
  const trusted = ca === undefined ? [] : [...getCACertificates('default'), ca];
  const agent = new Agent({ connections: 4, ...(trusted.length > 0 && { connect: { ca: trusted } }) });
  const journal: Answer[] = [];

  const once = async (url: string, options: RequestOptions): Promise<Answer> => {
    const { method = 'GET', headers = {}, body, purpose = 'api' } = options;
    signal?.throwIfAborted();
    const deadline = AbortSignal.timeout(deadlineMs);
    const sentAtMs = now();
    try {
      const response = await fetch(url, {
        method,
        dispatcher: agent,
        redirect: 'manual',
        headers: { ...(purpose === 'page' ? {} : { origin: WALLET_ORIGIN }), ...headers },
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        ...(body !== undefined && { body }),
      });
      const text = await readText(response.body);
      const facts = { purpose, method, url, status: response.status, headers: response.headers, text };
      return { ...facts, json: parseJson(text), sentAtMs, cameAtMs: now() };
    } catch (error) {
      signal?.throwIfAborted();
      throw new NoAnswer(url, deadline.aborted ? `nothing within ${deadlineMs / 1000} s` : whyOf(error));
    }
  };

  const send = async (url: string, options: RequestOptions = {}): Promise<Answer> => {
    for (let waits = 0; ; waits += 1) {
      const answer = await once(url, options);
      const seconds = Number(answer.headers.get('retry-after') ?? '1');
      if (answer.status !== 429 || waits === MAX_WAITS || !(seconds <= MAX_WAIT_SECONDS)) {
        if (answer.status === 429)
          throw new NotChecked('The anchor limits our requests (429). Try again later.');
        journal.push(answer);
        return answer;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(seconds, 0.2) * 1000));
    }
  };

  return { send, open: (url) => openPage(send, url), journal, close: () => agent.destroy() };
}

async function openPage(send: Http['send'], url: string): Promise<Answer> {
  const cookies = new Map<string, string>();
  let target = url;
  for (let count = 0; ; count += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { accept: 'text/html', ...(cookie !== '' && { cookie }) };
    const answer = await send(target, { purpose: 'page', headers });
    for (const { name, value } of getSetCookies(answer.headers)) cookies.set(name, value);
    const location = answer.headers.get('location');
    if (answer.status < 300 || answer.status > 399 || location === null || count === MAX_REDIRECTS)
      return answer;
    // Cookies are the host's own: none goes to another.
    const next = new URL(location, target);
    if (next.host !== new URL(target).host) cookies.clear();
    target = next.href;
  }
}

async function readText(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Error(`more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The innermost message: undici wraps, and of several addresses that refuse, Node makes one error without a message. */
function whyOf(error: unknown): string {
  const { cause, errors, message, code } = fieldsOf(error);
  const [first] = Array.isArray(errors) ? (errors as readonly unknown[]) : [];
  if (cause !== undefined) return whyOf(cause);
  if (first !== undefined) return whyOf(first);
  return [message, code].find((text) => typeof text === 'string' && text !== '')?.toString() ?? String(error);
}
