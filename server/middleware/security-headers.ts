import helmet from 'koa-helmet';
import type { Context, Middleware } from 'koa';

const ONE_YEAR_SECONDS = 31_536_000;

/**
 * Headers of the API's answers: nothing in them may run or be framed, every origin may read them.
 *
 * @param options.hsts off for `localhost`, where HSTS would lock other developers' servers out
 */
export function apiSecurity(options: { readonly hsts: boolean }): Middleware {
  return setOnce(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      crossOriginEmbedderPolicy: false,
      crossOriginOpenerPolicy: false,
      crossOriginResourcePolicy: { policy: 'cross-origin' },
      referrerPolicy: { policy: 'no-referrer' },
      strictTransportSecurity: options.hsts ? { maxAge: ONE_YEAR_SECONDS, includeSubDomains: false } : false,
      xFrameOptions: { action: 'deny' },
    }),
  );
}

/** Helmet composes the same headers for every request, which costs more than many an answer: it is asked once. */
function setOnce(middleware: Middleware): Middleware {
  let headers: Promise<ReadonlyMap<string, string>> | undefined;
  let known: ReadonlyMap<string, string> | undefined;
  return async (ctx, next) => {
    headers ??= recordHeaders(middleware, ctx);
    known ??= await headers;
    for (const [name, value] of known) ctx.res.setHeader(name, value);
    await next();
  };
}

/** What a middleware does to the headers of an answer. It removes one only where a later setting wins. */
async function recordHeaders(middleware: Middleware, ctx: Context): Promise<ReadonlyMap<string, string>> {
  const headers = new Map<string, string>();
  const response = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
  };
  const recording = Object.create(ctx, { res: { value: response } }) as Parameters<Middleware>[0];
  await middleware(recording, async () => {});
  return headers;
}

export interface PageSecurity {
  /** Origins that may frame the page. Default: none. */
  readonly frameAncestors?: readonly string[];
  /** Origins beside our own to which a form may lead, redirects included: where the customer returns to. */
  readonly formAction?: readonly string[];
  /** Origins of images beside our own, for instance the organization's logo. */
  readonly images?: readonly string[];
}

/** An origin as a CSP may hold it; anything else could smuggle in a directive and is left out. */
const CSP_ORIGIN = /^(?:https?|[a-z][a-z0-9+.-]*):(?:\/\/[\w.*:[\]-]+)?$/i;
const originsOf = (origins: readonly string[] | undefined): string[] =>
  (origins ?? []).filter((origin) => CSP_ORIGIN.test(origin));

/**
 * Headers of a customer's page, which replace the API's: own scripts, styles and images only, no inline script.
 * Popups keep their opener (COOP `unsafe-none`) and forms their Origin and Referer (`same-origin`): wallets' pages and
 * our CSRF check need both.
 */
export function pageSecurityHeaders(page: PageSecurity = {}): Readonly<Record<string, string>> {
  const ancestors = originsOf(page.frameAncestors);
  const directives: Record<string, readonly string[]> = {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'font-src': ["'self'"],
    'connect-src': ["'self'"],
    'img-src': ["'self'", 'data:', ...originsOf(page.images)],
    'form-action': ["'self'", ...originsOf(page.formAction)],
    'frame-ancestors': ancestors.length === 0 ? ["'none'"] : ancestors,
    'base-uri': ["'none'"],
    // No text ever becomes markup or code by a script of a page.
    'require-trusted-types-for': ["'script'"],
    'trusted-types': ["'none'"],
  };
  return {
    'Content-Security-Policy': Object.entries(directives)
      .map(([name, values]) => [name, ...values].join(' '))
      .join('; '),
    'Cross-Origin-Opener-Policy': 'unsafe-none',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    ...(ancestors.length === 0 ? { 'X-Frame-Options': 'DENY' } : {}),
  };
}

/** Turns an answer's headers into those of a page. Call it before the body is set; HSTS stays as it was. */
export function setPageSecurity(ctx: Pick<Context, 'set' | 'remove'>, page: PageSecurity = {}): void {
  ctx.remove('X-Frame-Options');
  ctx.set({ ...pageSecurityHeaders(page) });
}
