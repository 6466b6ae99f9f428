import { createServer, STATUS_CODES } from 'node:http';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../core/runtime/clock.ts';
import { CapstanError } from '../core/runtime/errors.ts';
import type { HealthCheck } from '../core/runtime/health.ts';
import { closeListener, listenOn, LISTENER_LIMITS } from '../core/runtime/http-listener.ts';
import type { Bind } from '../core/runtime/http-listener.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Metrics } from '../core/runtime/metrics.ts';
import type { CertificateFiles } from './certificate.ts';
import { BODY_PACE, paceBodies, type Pace } from './body-pace.ts';
import { startTlsListener } from './tls-listener.ts';
import type { TlsListener } from './tls-listener.ts';

export interface ListenersOptions {
  /** Plain HTTP, for a proxy that ends TLS. Default port 8080. */
  readonly http?: Bind;
  /** HTTPS by itself, as soon as a certificate is mounted. Default port 8443. */
  readonly https?: { readonly bind: Bind; readonly files: CertificateFiles; readonly pollMs?: number };
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** From "not ready" to "takes no connection": what load balancers need to notice. Default 5,000. */
  readonly drainDelayMs?: number;
  /** How long running requests may take after that. Default 35,000: the longest request but an upload, and some. */
  readonly drainTimeoutMs?: number;
  /** Default: `BODY_PACE`. */
  readonly pace?: Pace;
}

export interface Addresses {
  readonly http: AddressInfo;
  readonly https: AddressInfo | undefined;
}

export interface Listeners {
  /** For `createHealth`: passes while we listen, and with HTTPS if a certificate is mounted. */
  readonly check: HealthCheck;
  /** Opens the ports. @throws ListenFailed */
  start(handler: RequestListener): Promise<void>;
  /** The ports that are open now. */
  addresses(): Addresses | undefined;
  /**
   * Ends without cutting anyone off: `notReady` first, then for `drainDelayMs` everything is still served (each answer
   * closes its connection), then no new connections; running requests finish, at most `drainTimeoutMs`. A kept connection stays
   * for twice `drainDelayMs`, so that a wallet that polls learns by an answer that it closes, not by a lost request.
   */
  drain(notReady: () => void): Promise<void>;
}

class NotListening extends CapstanError {
  constructor(message: string) {
    super('not_listening', message);
  }
}

const PARSER_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** What Node cannot even parse never reaches the app; it gets a JSON error with CORS all the same. */
function refuseUnparsed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = PARSER_STATUS[error.code ?? ''] ?? 400;
  const reason = STATUS_CODES[status] ?? 'Bad Request';
  const body = JSON.stringify({ error: reason.toLowerCase() });
  const head = Object.entries(refusalHeaders(body)).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${status} ${reason}\r\n${head.join('\r\n')}\r\n\r\n${body}`);
}

function refusalHeaders(body: string): Readonly<Record<string, string>> {
  return {
    'Access-Control-Allow-Origin': '*',
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
}

/**
 * What Node answers to a request that does not arrive in time, and our half of the connection ends. Node would close the other half
 * as well, and a sender that is not done could lose the answer to a reset: the pacer does that a moment later.
 */
function refuseSlow(res: ServerResponse): void {
  const body = JSON.stringify({ error: 'request timeout' });
  const { socket } = res.req;
  // By this Node ends a connection after an answer with "Connection: close".
  socket.destroySoon = () => void socket.end();
  res.writeHead(408, refusalHeaders(body)).end(body);
}

/** RFC 9112, 3.2, wants 400 for HTTP/1.1 without Host. Node would answer so by itself, with no body and no CORS header. */
function refuseWithoutHost(handler: RequestListener): RequestListener {
  return (req, res) => {
    if (req.headers.host !== undefined || req.httpVersion === '1.0') return handler(req, res);
    const body = JSON.stringify({ error: 'the Host header is missing' });
    return res.writeHead(400, refusalHeaders(body)).end(body);
  };
}

/** Knows the requests that run, so that a drain can make each answer the last of its connection. */
interface Tracker {
  readonly handler: RequestListener;
  /** Every answer that is not yet on its way, and all later ones, close their connection. */
  drain(): void;
}

function trackAnswers(handler: RequestListener): Tracker {
  const running = new Set<ServerResponse>();
  let isDraining = false;
  return {
    handler(req, res) {
      running.add(res);
      if (isDraining) res.setHeader('Connection', 'close');
      res.once('close', () => running.delete(res));
      handler(req, res);
    },
    drain() {
      isDraining = true;
      for (const res of running) if (!res.headersSent) res.setHeader('Connection', 'close');
    },
  };
}

/** The server's public ports. Make it first, so that its `check` can go into the health that the app shows. */
export function createListeners(options: ListenersOptions): Listeners {
  const { log, clock } = options;
  const watch = new AbortController();
  const plain: { server?: Server; address?: AddressInfo } = {};
  let tls: TlsListener | undefined;
  let tracker: Tracker | undefined;
  const pace = options.pace ?? BODY_PACE;
  // Of whole requests, bodies and all: the pacer is stricter, and looks closer.
  const requestTimeoutMs = pace.longestMs + LISTENER_LIMITS.requestTimeoutMs;
  const prepare = (server: Server, served: RequestListener): void => {
    server.on('clientError', refuseUnparsed);
    // Without a listener Node answers 417 with no body.
    server.on('checkExpectation', served);
  };

  const assertListening = (): void => {
    if (plain.server?.listening !== true) throw new NotListening('HTTP is not listening');
    if (tls?.isBroken === true) throw new NotListening('HTTPS has no usable certificate');
  };
  return {
    check: { name: 'listener', check: async () => assertListening() },
    async start(handler) {
      const pacer = paceBodies(refuseWithoutHost(handler), { clock, pace, refuse: refuseSlow });
      tracker = trackAnswers(pacer.handler);
      const served = tracker.handler;
      const limits = { maxHeaderSize: LISTENER_LIMITS.maxHeaderBytes, requireHostHeader: false };
      const server = createServer(limits, served);
      prepare(server, served);
      plain.address = await listenOn(server, options.http ?? { port: 8080 }, requestTimeoutMs);
      plain.server = server;
      void pacer.watch(watch.signal);
      if (options.https !== undefined) {
        const { metrics } = options;
        tls = await startTlsListener({
          ...options.https,
          handler: served,
          requestTimeoutMs,
          prepare: (secured) => prepare(secured, served),
          log,
          clock,
          metrics,
          signal: watch.signal,
        });
      }
      log.info({ http: plain.address.port, https: tls?.address?.port }, 'listening');
    },
    addresses: () => (plain.address === undefined ? undefined : { http: plain.address, https: tls?.address }),
    async drain(notReady) {
      notReady();
      tracker?.drain();
      const drainDelayMs = options.drainDelayMs ?? 5_000;
      await clock.sleep(drainDelayMs);
      watch.abort();
      const servers = [plain.server, tls?.server].filter((server) => server !== undefined);
      const timeoutMs = options.drainTimeoutMs ?? 35_000;
      const closing = { timeoutMs, idleMs: Math.min(2 * drainDelayMs, timeoutMs) };
      await Promise.all(servers.map((server) => closeListener(server, clock, closing)));
      log.info('every request is answered, the ports are closed');
    },
  };
}
