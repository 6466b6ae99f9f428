import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import type { Log } from '../../core/runtime/log.ts';
import { rememberRequest } from '../request.ts';
import { clientAddress, parseTrustedProxies } from './client-address.ts';

const SANE_ID = /^[\w.-]{8,128}$/;

export interface IdentifyOptions {
  readonly log: Log;
  /** CIDR ranges of the proxies in front of us. Empty: `X-Forwarded-For` is not believed from anyone. */
  readonly trustedProxies: readonly string[];
  readonly randomId?: () => string;
}

/** Gives each request its id (the caller's, if it is sane), its caller's address and its log; echoes `X-Request-Id`. */
export function identify({ log, trustedProxies, randomId = randomUUID }: IdentifyOptions): Middleware {
  const trusted = parseTrustedProxies(trustedProxies);
  let hasWarned = false;
  return async (ctx, next) => {
    const given = ctx.get('X-Request-Id');
    const id = SANE_ID.test(given) ? given : randomId();
    const forwardedFor = ctx.get('X-Forwarded-For');
    const remote = ctx.req.socket.remoteAddress;
    if (forwardedFor !== '' && trusted.length === 0 && !hasWarned) {
      hasWarned = true;
      log.warn(
        { proxy: remote },
        'X-Forwarded-For is ignored: no proxy is trusted, all its callers share one rate limit',
      );
    }
    const client = clientAddress(remote, forwardedFor, trusted);
    const request = rememberRequest(ctx, { id, client, log });
    ctx.res.once('close', () => {
      if (!ctx.res.writableFinished) request.abort();
    });
    ctx.set('X-Request-Id', id);
    await next();
  };
}
