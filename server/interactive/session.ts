import type { Context } from 'koa';
import { hmac } from './digest.ts';
import { randomText, type Random } from './links.ts';
import type { Origin } from './origin.ts';
import {
  isFor,
  issueToken,
  LIFETIME_SECONDS,
  readToken,
  textClaim,
  type Bound,
  type TokenContext,
} from './tokens.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';

/** A browser's right to one transaction's pages; it lives in a cookie of its own, signed, and nowhere on the server. */
export interface Session {
  readonly bound: Bound;
  /** Secret of this session: forms carry it, and keys of repeated calls are derived from it. */
  readonly csrf: string;
  /** Origin of the page that opened ours, if the browser told. */
  readonly opener: string | undefined;
  /** Where the wallet wants its customer back, if it may. */
  readonly returnUrl: string | undefined;
}

export interface SessionContext extends TokenContext {
  readonly origin: Origin;
  readonly random: Random;
  /** The pages may be shown in a frame of another site, where only partitioned `SameSite=None` cookies work. */
  readonly isFramed: boolean;
}

/** One cookie a transaction, so that two flows in one browser do not meet. */
export function cookieName(transactionId: string, origin: Origin): string {
  const short = transactionId.replaceAll('-', '').slice(0, 12);
  return `${origin.isSecure ? '__Host-' : ''}capstan-${short}`;
}

/** What a session knows of the wallet that began it. */
export type WalletTies = Pick<Session, 'opener' | 'returnUrl'>;

/** Opens a session in the browser that shows this answer. */
export function openSession(
  ctx: Pick<Context, 'append'>,
  context: SessionContext,
  transaction: Transaction,
  { opener, returnUrl }: WalletTies,
): void {
  const token = issueToken(context, 'session', transaction, {
    csrf: randomText(context.random),
    ...(opener !== undefined && { opener }),
    ...(returnUrl !== undefined && { ret: returnUrl }),
  });
  ctx.append('Set-Cookie', cookie(context, cookieName(transaction.id, context.origin), token));
}

const viewName = (transactionId: string, origin: Origin): string =>
  `${cookieName(transactionId, origin)}-view`;

/** Lets this browser see the status page again without the token in its URL; it gives no right to act. */
export function openView(
  ctx: Pick<Context, 'append'>,
  context: SessionContext,
  transaction: Transaction,
  opener: string | undefined,
): void {
  const token = issueToken(context, 'view', transaction, opener === undefined ? {} : { opener });
  ctx.append('Set-Cookie', cookie(context, viewName(transaction.id, context.origin), token));
}

/** Whether this browser may see the status page, and who opened it. */
export function findView(
  ctx: Pick<Context, 'cookies'>,
  context: SessionContext,
  transaction: Pick<Transaction, 'id' | 'subject'>,
): Pick<Session, 'opener'> | undefined {
  const token = ctx.cookies.get(viewName(transaction.id, context.origin));
  const bound = token === undefined ? undefined : readToken(context, 'view', token);
  return bound && isFor(bound, transaction) ? { opener: textClaim(bound, 'opener') } : undefined;
}

/** By hand: Koa's own refuses `Secure` behind a proxy that ends TLS, and does not know every attribute. */
function cookie({ origin, isFramed }: SessionContext, name: string, value: string): string {
  const sameSite = isFramed && origin.isSecure ? ['SameSite=None', 'Partitioned'] : ['SameSite=Lax'];
  return [
    `${name}=${value}`,
    'Path=/',
    `Max-Age=${LIFETIME_SECONDS.session}`,
    'HttpOnly',
    ...(origin.isSecure ? ['Secure'] : []),
    ...sameSite,
  ].join('; ');
}

/** The browser's session for this transaction, if it has one that is still good. */
export function findSession(
  ctx: Pick<Context, 'cookies'>,
  context: SessionContext,
  transaction: Pick<Transaction, 'id' | 'subject'>,
): Session | undefined {
  const token = ctx.cookies.get(cookieName(transaction.id, context.origin));
  const bound = token === undefined ? undefined : readToken(context, 'session', token);
  if (!bound || !isFor(bound, transaction)) return undefined;
  const csrf = textClaim(bound, 'csrf');
  if (csrf === undefined) return undefined;
  return { bound, csrf, opener: textClaim(bound, 'opener'), returnUrl: textClaim(bound, 'ret') };
}

/** The same for the same submission in the same session; tells nothing about the values to whoever sees it. */
export function submissionKey(session: Session, transactionId: string, submission: unknown): string {
  return `${transactionId}:submit:${hmac(session.csrf, JSON.stringify(submission))}`;
}
