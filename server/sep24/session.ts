import type { Context } from 'koa';
import { InvalidToken } from '../../core/keys/jwt.ts';
import { AuthenticationRequired } from '../middleware/http-error.ts';
import { verifyToken, type Session, type TokenOptions } from '../sep10/token.ts';

export type { Session } from '../sep10/token.ts';

/**
 * Who sends a request, by its SEP-10 token.
 * @throws {AuthenticationRequired} 403 with `type: authentication_required`, as SEP-24 wants instead of a 401
 */
export function authenticate(ctx: Pick<Context, 'get'>, nowMs: number, options: TokenOptions): Session {
  const [, token] = /^Bearer +(\S+)$/i.exec(ctx.get('Authorization').trim()) ?? [];
  if (token === undefined) throw new AuthenticationRequired();
  try {
    return verifyToken(token, nowMs, options);
  } catch (error) {
    if (error instanceof InvalidToken) throw new AuthenticationRequired(error.message);
    throw error;
  }
}
