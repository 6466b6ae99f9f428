import type { Router, RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import { requestOf } from '../request.ts';
import { HttpError, NotFound } from './http-error.ts';

/** How a path fares with the routers: the pattern that serves it, or the methods that it would take. */
interface Resolution {
  readonly route: string | undefined;
  readonly router?: Router;
  readonly methods: ReadonlySet<string>;
}

function resolve(routers: readonly Router[], path: string, method: string): Resolution {
  const methods = new Set<string>();
  for (const router of routers) {
    for (const layer of router.match(path, method).path) {
      if (layer.methods.includes(method))
        return { route: String(layer.path), router, methods: new Set([method]) };
      for (const other of layer.methods) methods.add(other);
    }
  }
  return { route: undefined, methods };
}

const resolutions = new WeakMap<object, Resolution>();

/** Finds the route before anything is read or limited, so that metrics and limits can go by its pattern. */
export function resolveRoute(routers: readonly Router[]): Middleware {
  // Paths without a parameter: as many as there are routes.
  const fixed = new Map<string, Resolution>();
  const resolved = (path: string, method: string): Resolution => {
    const key = `${method} ${path}`;
    const kept = fixed.get(key);
    if (kept !== undefined) return kept;
    const resolution = resolve(routers, path, method);
    if (resolution.route === path) fixed.set(key, resolution);
    return resolution;
  };
  return async (ctx, next) => {
    const resolution = resolved(ctx.path, ctx.method);
    requestOf(ctx).route = resolution.route;
    resolutions.set(ctx.req, resolution);
    await next();
  };
}

/** 404 for a path that nobody serves, 405 with `Allow` for a method that its path does not take; no body is read. */
export function refuseUnrouted(): Middleware {
  return async (ctx, next) => {
    const resolution = resolutions.get(ctx.req);
    if (resolution?.route === undefined) {
      if (resolution === undefined || resolution.methods.size === 0) throw new NotFound();
      const allowed = [...resolution.methods, 'OPTIONS'].join(', ');
      throw new HttpError(405, `${ctx.method} is not allowed here; use ${allowed}`, {
        headers: { Allow: allowed },
      });
    }
    await next();
  };
}

/** Hands the request to the router whose route was found. */
export function serveRoute(routers: readonly Router[]): Middleware {
  const served = new Map(routers.map((router) => [router, router.routes()]));
  return async (ctx, next) => {
    const { router } = resolutions.get(ctx.req) ?? {};
    const serve = router && served.get(router);
    if (serve === undefined) throw new NotFound();
    await serve(ctx as RouterContext, next);
  };
}
