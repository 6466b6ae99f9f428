import type { Middleware } from 'koa';

/** A `*` does not cover Authorization in browsers, so these are always listed (SEP-10, SEP-24). */
const ALWAYS_ALLOWED = ['Authorization', 'Content-Type', 'X-Client-Name', 'X-Client-Version'];
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const EXPOSED = 'ETag, Retry-After, X-Request-Id';
const MAX_AGE_SECONDS = 86_400;

const SANE_HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/i;
const MAX_HEADERS = 32;

/** The headers that a preflight allows: ours, and what the page asked for as far as these are header names. */
function allowedHeaders(requested: string): string {
  const asked = requested
    .split(',', MAX_HEADERS)
    .map((name) => name.trim())
    .filter((name) => SANE_HEADER.test(name));
  const known = new Set(ALWAYS_ALLOWED.map((name) => name.toLowerCase()));
  return [...ALWAYS_ALLOWED, ...asked.filter((name) => !known.has(name.toLowerCase()))].join(', ');
}

/**
 * `Access-Control-Allow-Origin: *` on every answer, errors too, and every preflight answered before any route, limit or
 * login sees it (SEP-1, SEP-10, SEP-24). No credentials are ever allowed: cookies do not travel across origins.
 */
export function cors(): Middleware {
  return async (ctx, next) => {
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Access-Control-Expose-Headers', EXPOSED);
    if (ctx.method !== 'OPTIONS') {
      await next();
      return;
    }
    ctx.set('Access-Control-Allow-Methods', METHODS);
    ctx.set('Access-Control-Allow-Headers', allowedHeaders(ctx.get('Access-Control-Request-Headers')));
    ctx.set('Access-Control-Max-Age', String(MAX_AGE_SECONDS));
    ctx.set('Allow', METHODS);
    ctx.vary('Access-Control-Request-Headers');
    ctx.status = 204;
  };
}
