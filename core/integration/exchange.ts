import { Agent } from 'undici';
import type { Dispatcher } from 'undici';
import { messageOf } from '../runtime/errors.ts';
import { RESPONSE_LIMIT_BYTES } from './contract.ts';
import { IntegrationMisbehaved, IntegrationUnavailable } from './errors.ts';
import type { SignedHeaders } from './signature.ts';

/** One HTTP exchange with the integration: no redirects, no decompression, a bounded JSON answer. */
export interface Exchange {
  /** @throws {IntegrationUnavailable | IntegrationMisbehaved}, or the reason of `signal` */
  send(call: Call, signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

export interface Call {
  /** The hook's name, for errors. */
  readonly hook: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: SignedHeaders & Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ExchangeOptions {
  readonly origin: string;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** Certificates (PEM) to trust instead of the system's. */
  readonly ca?: string;
}

const RETRY_AFTER_LIMIT_SECONDS = 3600;
/** Statuses that say "not now"; the rest of 4xx says that Capstan and the integration disagree. */
const TEMPORARY = new Set([408, 409, 425, 429]);

/** Opens a pool of kept-alive connections; time limits are the caller's signal. */
export function createExchange({ origin, connections, connectTimeoutMs, ca }: ExchangeOptions): Exchange {
  const agent = new Agent({
    connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: connectTimeoutMs, ...(ca === undefined ? {} : { ca }) },
  });
  return {
    async send(call, signal) {
      try {
        const response = await agent.request({
          origin,
          path: call.path,
          method: call.method,
          headers: { accept: 'application/json', 'accept-encoding': 'identity', ...call.headers },
          body: call.body ?? null,
          signal,
        });
        return await readAnswer(call.hook, response);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof IntegrationMisbehaved || error instanceof IntegrationUnavailable) throw error;
        throw new IntegrationUnavailable(call.hook, messageOf(error), { cause: error });
      }
    },
    close: () => agent.destroy(),
  };
}

async function readAnswer(hook: string, response: Dispatcher.ResponseData): Promise<unknown> {
  const { statusCode: status, headers, body } = response;
  if (status === 204) {
    await body.dump();
    return {};
  }
  if (status !== 200) {
    body.on('error', () => {}).destroy();
    throw refusal(hook, status, headers);
  }
  const type = single(headers['content-type']);
  if (
    !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type) ||
    single(headers['content-encoding']) !== ''
  ) {
    body.on('error', () => {}).destroy();
    throw new IntegrationMisbehaved(hook, 'its content type is not plain application/json');
  }
  const text = await readText(hook, body);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not the parser's message: it quotes the text.
    throw new IntegrationMisbehaved(hook, 'it is not JSON');
  }
}

function refusal(hook: string, status: number, headers: Dispatcher.ResponseData['headers']): Error {
  if (status >= 500 || TEMPORARY.has(status)) {
    const seconds = Number(single(headers['retry-after']) || Number.NaN);
    const isUsable = Number.isFinite(seconds) && seconds >= 0;
    return new IntegrationUnavailable(hook, `it answered with status ${status}`, {
      status,
      retryAfterMs: isUsable ? Math.min(seconds, RETRY_AFTER_LIMIT_SECONDS) * 1000 : undefined,
    });
  }
  if (status === 401)
    return new IntegrationMisbehaved(
      hook,
      'status 401: it does not accept the signature, check both keys and clocks',
    );
  if (status === 404)
    return new IntegrationMisbehaved(hook, 'status 404: it declares the hook but does not serve it');
  if (status >= 300 && status < 400)
    return new IntegrationMisbehaved(hook, `status ${status}: redirects are not followed`);
  return new IntegrationMisbehaved(hook, `it answered with status ${status}`);
}

async function readText(hook: string, body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > RESPONSE_LIMIT_BYTES) {
      throw new IntegrationMisbehaved(hook, `it is larger than ${RESPONSE_LIMIT_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks, length));
  } catch {
    throw new IntegrationMisbehaved(hook, 'it is not UTF-8');
  }
}

function single(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header : (header?.[0] ?? '');
}
