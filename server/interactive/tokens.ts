import { InvalidToken, type Claims, type SessionKeyRing } from '../../core/keys/jwt.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';

/**
 * The tokens of the customer's pages. They share the session key with the wallets' tokens; the audience keeps each kind
 * from passing for another. All are bound to one transaction and its owner (account and memo).
 */
export const LIFETIME_SECONDS = {
  /** In the URL that a wallet opens; good for one browser. */
  interactive: 600,
  /** In `more_info_url`; may be opened again and again. */
  'more-info': 3_600,
  /** In the cookie of a browser. */
  session: 3_600,
  /** In the cookie of a browser that opened a status page by its token: the page's URL need not keep it. */
  view: 3_600,
} as const;

export type TokenKind = keyof typeof LIFETIME_SECONDS;

export interface TokenContext {
  readonly keys: SessionKeyRing;
  readonly clock: Pick<Clock, 'now'>;
}

/** A token that passed: whose, for which transaction, and what else it carries. */
export interface Bound {
  readonly transactionId: string;
  readonly subject: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
  readonly claims: Claims;
}

export function issueToken(
  { keys, clock }: TokenContext,
  kind: TokenKind,
  transaction: Pick<Transaction, 'id' | 'subject'>,
  more: Readonly<Record<string, string>> = {},
): string {
  const iat = Math.floor(clock.now() / 1000);
  const exp = iat + LIFETIME_SECONDS[kind];
  return keys.sign({ ...more, aud: kind, iat, exp, sub: transaction.subject, tid: transaction.id });
}

/** What a token says, or undefined for one that is forged, expired or of another kind. */
export function readToken({ keys, clock }: TokenContext, kind: TokenKind, token: string): Bound | undefined {
  try {
    const claims = keys.verify(token, { audience: kind, nowMs: clock.now() });
    const { sub, tid, exp } = claims;
    if (typeof sub !== 'string' || typeof tid !== 'string') return undefined;
    return { transactionId: tid, subject: sub, expiresAtMs: exp * 1000, claims };
  } catch (error) {
    if (error instanceof InvalidToken) return undefined;
    throw error;
  }
}

/** Whether a token (or session) is for this very transaction of this very owner. */
export function isFor(bound: Bound, transaction: Pick<Transaction, 'id' | 'subject'>): boolean {
  return bound.transactionId === transaction.id && bound.subject === transaction.subject;
}

/** A claim that is text; undefined for anything else. */
export function textClaim(bound: Bound, name: string): string | undefined {
  const value = bound.claims[name];
  return typeof value === 'string' ? value : undefined;
}
