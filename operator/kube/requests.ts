import type { Clock } from '../../core/runtime/clock.ts';
import { KubeError, KubeProtocolError } from './errors.ts';
import { jsonBody } from './json-body.ts';
import type { RestMetrics } from './rest-metrics.ts';
import { retryAfterMs, sendWithRetry } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import type { HttpStream, Method, Transport } from './transport.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly retry?: RetryPolicy;
}

export interface ApiRequest extends CallOptions {
  readonly method: Method;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  readonly contentType?: string;
  readonly accept?: string;
}

export interface RequestTools {
  readonly transport: Transport;
  /** Monotonic. */
  readonly clock: Clock;
  /** A number in [0, 1). Default Math.random. */
  readonly random?: () => number;
  readonly metrics?: RestMetrics;
  /** Told of every `Warning` of the server (deprecated APIs, unknown fields). */
  readonly onWarning?: (warning: string) => void;
  /** `capstan-operator/1.2.0` */
  readonly userAgent: string;
}

/** Sends one request, with retries, and reads its JSON. @throws KubeError, KubeUnreachable, the reason of `signal` */
export type Send = (request: ApiRequest) => Promise<unknown>;

export const JSON_TYPE = 'application/json';
const never = new AbortController().signal;

const withQuery = (path: string, query: ApiRequest['query'] = {}): string => {
  const set = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set).toString()}`;
};

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KubeProtocolError(`${what}: the answer is no JSON`, error);
  }
}

/** What the server says went wrong; proxies in between say it in other words than JSON. */
function refusal(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 200) };
  }
}

export function createSender(tools: RequestTools): Send {
  const { userAgent, onWarning, random = Math.random } = tools;
  return async (request) => {
    const { method, path, body, signal = never } = request;
    const answer = await sendWithRetry(
      {
        method,
        path: withQuery(path, request.query),
        headers: {
          accept: request.accept ?? JSON_TYPE,
          'user-agent': userAgent,
          ...(body === undefined ? {} : { 'content-type': request.contentType ?? JSON_TYPE }),
        },
        body: body === undefined ? undefined : jsonBody(body),
        signal,
      },
      request.retry ?? {},
      { ...tools, random },
    );
    for (const warning of [answer.headers['warning'] ?? []].flat()) onWarning?.(warning);
    const what = `${method} ${path}`;
    if (answer.status < 300) return parse(answer.text, what);
    throw new KubeError(what, answer.status, refusal(answer.text), retryAfterMs(answer.headers));
  };
}

/** Opens an answer without an end. @throws KubeError when the server refuses, KubeUnreachable, the reason of `signal` */
export async function openStream(
  { path, query, accept, signal = never }: Pick<ApiRequest, 'path' | 'query' | 'accept' | 'signal'>,
  { transport, clock, metrics, userAgent }: RequestTools,
): Promise<HttpStream> {
  const startedAt = clock.now();
  const seen = (code: string): void => {
    metrics?.observe({
      method: 'WATCH',
      host: transport.host,
      code,
      seconds: (clock.now() - startedAt) / 1_000,
    });
  };
  let stream: HttpStream;
  try {
    const headers = { accept: accept ?? JSON_TYPE, 'user-agent': userAgent };
    stream = await transport.open({ method: 'GET', path: withQuery(path, query), headers, signal });
  } catch (error) {
    seen('<error>');
    throw error;
  }
  seen(String(stream.status));
  if (stream.status === 200) return stream;
  const said = refusal(await stream.body.text());
  throw new KubeError(`WATCH ${path}`, stream.status, said, retryAfterMs(stream.headers));
}
