import { createServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../core/runtime/clock.ts';
import { listenOn, LISTENER_LIMITS } from '../core/runtime/http-listener.ts';
import type { Bind } from '../core/runtime/http-listener.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Metrics } from '../core/runtime/metrics.ts';
import { watchFiles } from '../core/runtime/watch-file.ts';
import { CertificateMissing, loadCertificate } from './certificate.ts';
import type { CertificateFiles, LoadedCertificate } from './certificate.ts';

export interface TlsListenerOptions {
  readonly bind: Bind;
  readonly files: CertificateFiles;
  readonly handler: RequestListener;
  /** See `listenOn`. */
  readonly requestTimeoutMs: number;
  /** Called with the server before it listens, for handlers of its events. */
  readonly prepare: (server: HttpsServer) => void;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Ends the watch of the files; the server itself is closed by its owner. */
  readonly signal: AbortSignal;
  /** See `watchFiles`. */
  readonly pollMs?: number;
}

export interface TlsListener {
  /** Undefined until a usable certificate is mounted. */
  readonly server: HttpsServer | undefined;
  readonly address: AddressInfo | undefined;
  /** True if a certificate is mounted but HTTPS does not work with it. */
  readonly isBroken: boolean;
}

/**
 * HTTPS that follows its certificate: it listens as soon as a usable one is mounted, takes over a renewed one without
 * dropping a connection, and keeps the one it has when the new one is bad. Nothing mounted is no error.
 *
 * @throws ListenFailed when a certificate is there and the port cannot be had
 */
export async function startTlsListener(options: TlsListenerOptions): Promise<TlsListener> {
  const { log, files, signal } = options;
  const state: { -readonly [Name in keyof TlsListener]: TlsListener[Name] } = {
    server: undefined,
    address: undefined,
    isBroken: false,
  };
  const expiry = options.metrics.gauge({
    name: 'certificate_expiry_timestamp_seconds',
    help: 'When the certificate in use ends; 0: none is in use.',
  });

  const use = async (certificate: LoadedCertificate): Promise<void> => {
    const { cert, key, expiresAt, fingerprint, names } = certificate;
    if (state.server !== undefined) state.server.setSecureContext({ cert, key });
    else {
      const limits = {
        maxHeaderSize: LISTENER_LIMITS.maxHeaderBytes,
        requireHostHeader: false,
        minVersion: 'TLSv1.2',
      } as const;
      state.isBroken = true;
      const server = createServer({ cert, key, ...limits }, options.handler);
      options.prepare(server);
      state.address = await listenOn(server, options.bind, options.requestTimeoutMs);
      state.server = server;
    }
    state.isBroken = false;
    expiry.set(expiresAt / 1_000);
    log.info({ fingerprint, names, expires_at: new Date(expiresAt).toISOString() }, 'certificate in use');
  };
  const load = async (): Promise<LoadedCertificate | undefined> => {
    try {
      return await loadCertificate(files);
    } catch (error) {
      const isAbsent = error instanceof CertificateMissing;
      state.isBroken = !isAbsent && state.server === undefined;
      if (isAbsent && state.server === undefined) log.info({ err: error }, 'plain HTTP only');
      else log.error({ err: error }, 'the certificate cannot be used; keeping what there is');
      return undefined;
    }
  };
  const takeOver = async (): Promise<void> => {
    const certificate = await load();
    if (certificate !== undefined && !signal.aborted) await use(certificate);
  };

  await watchFiles({
    paths: [files.certificate, files.key],
    onChange: takeOver,
    signal,
    clock: options.clock,
    log,
    ...(options.pollMs === undefined ? {} : { pollMs: options.pollMs }),
  });
  await takeOver();
  return state;
}
