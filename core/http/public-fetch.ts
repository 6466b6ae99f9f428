import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { buildConnector, Client } from 'undici';
import { admitUrl, forbidden, PublicFetchError } from './destination.ts';
import type { Destination, DestinationPolicy } from './destination.ts';

export { PublicFetchError } from './destination.ts';
export type { DestinationPolicy } from './destination.ts';

/** dns.lookup with `all: true`; a test can hold it. */
export type LookupAll = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface PublicFetchOptions extends DestinationPolicy {
  /** Certificates (PEM) to trust instead of the system's. */
  readonly ca?: string;
  readonly lookup?: LookupAll;
}

export interface PublicRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For everything together: look-up, connection, request and the whole answer. */
  readonly deadlineMs: number;
  /** The largest body that is read. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface PublicResponse {
  /** Any status but a redirect (3xx), which is refused. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export type PublicFetch = (url: string, request: PublicRequest) => Promise<PublicResponse>;

/**
 * A fetch for URLs that strangers name (client_domain's stellar.toml, wallet callbacks). The address is checked while
 * connecting, on the very list that the socket uses, so that a name which changes its address between check and use
 * (DNS rebinding) gains nothing. No redirects, no decompression, one connection a request.
 * @throws {PublicFetchError} (rejects)
 */
export function createPublicFetch(options: PublicFetchOptions = {}): PublicFetch {
  return async (text, request) => {
    const destination = admitUrl(text, options);
    const client = new Client(destination.url.origin, {
      connect: guardedConnector(destination, options, request.deadlineMs),
      pipelining: 0,
      allowH2: false,
    });
    const deadline = AbortSignal.timeout(request.deadlineMs);
    const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline;
    try {
      return await exchange(client, destination.url, request, signal);
    } catch (error) {
      throw translate(error, deadline, request);
    } finally {
      // Not awaited: whatever the stranger's server still holds open must not delay the answer.
      void client.destroy();
    }
  };
}

async function exchange(
  client: Client,
  url: URL,
  request: PublicRequest,
  signal: AbortSignal,
): Promise<PublicResponse> {
  const response = await client.request({
    method: request.method ?? 'GET',
    path: `${url.pathname}${url.search}`,
    headers: { 'accept-encoding': 'identity', ...request.headers },
    body: request.body ?? null,
    signal,
  });
  const status = response.statusCode;
  if (status >= 300 && status < 400) {
    throw new PublicFetchError('redirect_refused', 'The URL redirects, which is not followed.');
  }
  return { status, headers: response.headers, body: await readAtMost(response.body, request.maxBytes) };
}

async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new PublicFetchError('response_too_large', `The answer is larger than ${maxBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function guardedConnector(
  { admits }: Destination,
  { ca, lookup = systemLookup }: PublicFetchOptions,
  deadlineMs: number,
): buildConnector.connector {
  const connect = buildConnector({
    timeout: deadlineMs,
    maxCachedSessions: 0,
    allowH2: false,
    ...(ca === undefined ? {} : { ca }),
    lookup: (hostname, lookupOptions, callback) => {
      lookup(hostname, { ...lookupOptions, all: true }, (error, addresses) => {
        if (error) return callback(error, []);
        const admitted = addresses.filter(({ address }) => admits(address));
        const [first] = admitted;
        if (!first) return callback(forbidden('its address is not public'), []);
        if (lookupOptions.all) callback(null, admitted);
        else callback(null, first.address, first.family);
      });
    },
  });
  return (target, callback) => {
    connect(target, (error, socket) => {
      // The lookup above decides; this holds even if a future runtime should connect without asking it.
      if (socket && !admits(socket.remoteAddress ?? '')) {
        socket.destroy();
        return callback(forbidden('its address is not public'), null);
      }
      return error ? callback(error, null) : callback(null, socket);
    });
  };
}

function translate(error: unknown, deadline: AbortSignal, request: PublicRequest): PublicFetchError {
  if (error instanceof PublicFetchError) return error;
  if (deadline.aborted) {
    const message = `There was no whole answer within ${request.deadlineMs} ms.`;
    return new PublicFetchError('deadline_exceeded', message, { cause: error });
  }
  return new PublicFetchError('unreachable', 'The URL cannot be reached.', { cause: error });
}
