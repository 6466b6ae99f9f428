import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/** Sets the time limits and starts listening. @throws ListenFailed */
export async function listenOn(server: Server, { port, host = '::' }: Bind): Promise<AddressInfo> {
  server.headersTimeout = LISTENER_LIMITS.headersTimeoutMs;
  server.requestTimeout = LISTENER_LIMITS.requestTimeoutMs;
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

/**
 * Stops a listener: no new connection, idle ones close, requests that run get `timeoutMs` to finish, then their
 * connections are cut.
 */
export async function closeListener(server: Server, clock: Clock, timeoutMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => {
    closed.abort();
    resolve();
  });
  await clock.sleep(timeoutMs, closed.signal);
  if (!closed.signal.aborted) server.closeAllConnections();
  await promise;
}
