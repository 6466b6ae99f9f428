import { createServer, type RequestListener, type Server } from 'node:http';
import {
  createIntegrationHandler,
  type HandlerOptions,
  type IntegrationHandler,
  type ServedCall,
} from './handler.ts';
import { pathOf, sendJson } from './http.ts';

export { createIntegrationHandler } from './handler.ts';
export type { HandlerOptions, HookContext, HookHandlers, IntegrationHandler, ServedCall } from './handler.ts';
export { HttpProblem, pathOf, readBody, sendJson } from './http.ts';
export type { Begun, IdempotencyStore } from './idempotency.ts';
export { createIdempotencyStore, openDatabase, openIdempotencyStore } from './sqlite.ts';
export { TEST_ID_PREFIX } from '../core/integration/contract.ts';
export type {
  DepositResult,
  FormField,
  FormPage,
  HookName,
  HookRequest,
  HookResponse,
  IntegrationTransaction,
  WithdrawalOutcome,
  WithdrawalResult,
} from '../core/integration/contract.ts';
export { formatAmount, parseAmount } from '../core/transaction/amount.ts';

export interface IntegrationOptions extends HandlerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Default: all addresses. */
  readonly host?: string;
  /** What `GET /health` says: 200 or 503. Default: healthy. */
  readonly isHealthy?: () => boolean | Promise<boolean>;
  /** Everything outside the contract's paths and /health: pages of one's own. Default: 404. */
  readonly other?: RequestListener;
}

export interface RunningIntegration {
  readonly port: number;
  /** Takes no more calls, lets those under way end for at most `timeoutMs` (default 10 s), then cuts them. */
  close(timeoutMs?: number): Promise<void>;
}

const CONNECTION_LIMIT = 500;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than Capstan keeps an idle connection, so that it never writes into one that is just being closed. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Serves an integration: verifies signatures, checks requests and the author's answers against the contract, answers
 * repeated calls from the store. Resolves when it listens.
 * @throws {InvalidIntegrationKey}
 */
export async function serveIntegration(options: IntegrationOptions): Promise<RunningIntegration> {
  const handler = createIntegrationHandler({ onCall: writeProblem, ...options });
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    listener(handler, options),
  );
  server.maxConnections = CONNECTION_LIMIT;
  closeConnectionsAfterUse(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return { port, close: (timeoutMs = 10_000) => close(server, timeoutMs) };
}

function listener(handler: IntegrationHandler, options: IntegrationOptions): RequestListener {
  return (request, response) => {
    const route = async (): Promise<void> => {
      if (await handler(request, response)) return;
      if (pathOf(request) === '/health') {
        const isHealthy = (await options.isHealthy?.()) ?? true;
        sendJson(response, isHealthy ? 200 : 503, JSON.stringify({ status: isHealthy ? 'ok' : 'unhealthy' }));
      } else if (options.other) options.other(request, response);
      else sendJson(response, 404, JSON.stringify({ error: 'There is nothing here.' }));
    };
    route().catch(() => sendJson(response, 500, JSON.stringify({ error: 'The integration failed.' })));
  };
}

/** Once it no longer listens, a connection that gets idle is closed rather than kept for a next call. */
function closeConnectionsAfterUse(server: Server): void {
  const closeIdle = (): void => {
    if (!server.listening) setImmediate(() => server.closeIdleConnections());
  };
  server.on('request', (_request, response) => void response.once('close', closeIdle));
}

/** Stops listening; connections that wait for no answer end at once (Node closes idle ones by itself). */
async function close(server: Server, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await new Promise((resolve) => void server.close(resolve));
  clearTimeout(timer);
}

/** One JSON line on stderr for each call that was not served: the first thing that an author looks for. */
function writeProblem({ error, ...call }: ServedCall): void {
  if (call.problem === undefined) return;
  const thrown = error instanceof Error ? { error: error.stack } : {};
  process.stderr.write(
    `${JSON.stringify({ level: 'error', time: new Date().toISOString(), ...call, ...thrown })}\n`,
  );
}
