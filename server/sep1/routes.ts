import { Router } from '@koa/router';
import type { StellarToml } from './source.ts';

export const STELLAR_TOML_PATH = '/.well-known/stellar.toml';

/** Short: a changed signing key has to reach wallets within a minute, and the ETag makes asking again cheap. */
const MAX_AGE_SECONDS = 60;

/** RFC 9110, 13.1.2: weak comparison against a list, or `*`. */
function matches(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch
    .split(',')
    .map((each) => each.trim().replace(/^W\//, ''))
    .some((each) => each === '*' || each === etag);
}

/** `GET /.well-known/stellar.toml` (SEP-1): text/plain, never a redirect, 304 for who has it already. */
export function createSep1Router(toml: StellarToml): Router {
  const router = new Router();
  router.get(STELLAR_TOML_PATH, (ctx) => {
    const { text, etag } = toml.current();
    ctx.set('ETag', etag);
    ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`);
    if (matches(ctx.get('If-None-Match'), etag)) {
      ctx.status = 304;
      return;
    }
    ctx.set('Content-Type', 'text/plain; charset=utf-8');
    ctx.body = text;
  });
  return router;
}
