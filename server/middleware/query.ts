import type { ParsedUrlQuery } from 'node:querystring';
import type { Middleware } from 'koa';
import { BadRequest, HttpError } from './http-error.ts';

/** Refuses query strings above `maxLength` characters with 414. */
export function limitQuery(maxLength: number): Middleware {
  return async (ctx, next) => {
    if (ctx.querystring.length > maxLength) {
      throw new HttpError(414, `the query string is longer than ${maxLength} characters`);
    }
    await next();
  };
}

/**
 * One parameter of a query string; undefined if it is absent. An empty one is returned as it is.
 *
 * @throws BadRequest when it is given more than once: two readers could take different ones
 */
export function single(query: ParsedUrlQuery, name: string): string | undefined {
  const value = query[name];
  if (Array.isArray(value)) throw new BadRequest(`${name} is given more than once`);
  return value;
}
