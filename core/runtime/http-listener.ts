import type { Server } from 'node:http';
import { Server as NetServer, type AddressInfo } from 'node:net';
import type { Clock } from './clock.ts';
import { CapstanError } from './errors.ts';

/** Limits of every listener of ours. Keep-alive outlasts the 60 s of common load balancers, so that they close first. */
export const LISTENER_LIMITS = {
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  maxHeaderBytes: 16_384,
  maxRequestsPerSocket: 10_000,
} as const;

/** How often a listener that closes looks for connections whose last request has ended. */
const IDLE_LOOK_MS = 1_000;

export class ListenFailed extends CapstanError {
  constructor(host: string, port: number, cause: unknown) {
    super('listen_failed', `Cannot listen on ${host}:${port}; choose a free port that this user may open.`, {
      cause,
    });
  }
}

export interface Bind {
  /** 0 takes any free port. */
  readonly port: number;
  /** Default `::`, which takes IPv4 too. */
  readonly host?: string;
}

/** Sets the time limits and starts listening. @param requestTimeoutMs for a whole request. @throws ListenFailed */
export async function listenOn(
  server: Server,
  { port, host = '::' }: Bind,
  requestTimeoutMs: number = LISTENER_LIMITS.requestTimeoutMs,
): Promise<AddressInfo> {
  server.headersTimeout = LISTENER_LIMITS.headersTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  server.keepAliveTimeout = LISTENER_LIMITS.keepAliveTimeoutMs;
  server.maxRequestsPerSocket = LISTENER_LIMITS.maxRequestsPerSocket;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: Error): void => reject(new ListenFailed(host, port, error));
  server.once('error', fail);
  server.listen({ port, host }, resolve);
  await promise;
  server.off('error', fail);
  return server.address() as AddressInfo;
}

export interface Closing {
  /** How long requests that run may take to finish; then their connections are cut. */
  readonly timeoutMs: number;
  /** How long a kept connection on which nothing runs stays, for a client that still takes it to be good. Default 0. */
  readonly idleMs?: number;
}

/**
 * Stops a listener: no new connection, idle ones close after `idleMs`, requests that run get `timeoutMs` to finish, then their
 * connections are cut.
 */
export async function closeListener(
  server: Server,
  clock: Clock,
  { timeoutMs, idleMs = 0 }: Closing,
): Promise<void> {
  if (!server.listening) return;
  const closed = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  // Of net, not of http: that one also closes what is idle, at once.
  NetServer.prototype.close.call(server, () => {
    // Ends the timer of http itself, which would keep the server in memory.
    server.close(() => undefined);
    closed.abort();
    resolve();
  });
  const closeIdle = async (): Promise<void> => {
    for (let waitMs = idleMs; !closed.signal.aborted; waitMs = IDLE_LOOK_MS) {
      await clock.sleep(waitMs, closed.signal);
      // After all that has arrived by now is read: a request that waits in a socket would be lost.
      setImmediate(() => server.closeIdleConnections());
    }
  };
  const cutOff = async (): Promise<void> => {
    await clock.sleep(timeoutMs, closed.signal);
    if (!closed.signal.aborted) server.closeAllConnections();
  };
  await Promise.all([closeIdle(), cutOff(), promise]);
}
