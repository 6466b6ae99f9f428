import type { Context } from 'koa';
import {
  changeTransaction,
  findTransaction,
  type Change,
} from '../../core/database/repositories/transactions.ts';
import type { Anchor, Asset } from '../../core/spec/anchor.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { single } from '../middleware/query.ts';
import { requestOf } from '../request.ts';
import type { InteractiveDeps } from './deps.ts';
import type { Translator } from './locale.ts';
import { PATHS } from './origin.ts';
import { PageError } from './page-error.ts';
import { findSession, type Session } from './session.ts';
import type { Shell } from './shell.ts';

/** One request for the pages of one transaction, by a browser that may see them. */
export interface Visit {
  readonly ctx: Context;
  readonly shell: Shell;
  readonly anchor: Anchor;
  readonly asset: Asset;
  readonly transaction: Transaction;
  readonly session: Session;
  readonly translator: Translator;
  readonly signal: AbortSignal;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The transaction that the URL names. Nothing but its own id finds one: hashes on the ledger are public.
 * @throws {PageError} 403, the same for one that does not exist as for one that is not theirs
 */
export async function lookUp(
  ctx: Context,
  { deps }: Pick<Shell, 'deps'>,
  parameter: 'id' | 'transaction_id',
): Promise<Transaction> {
  const id = single(ctx.query, parameter) ?? '';
  const transaction = UUID.test(id) ? await findTransaction(deps.database, id) : undefined;
  if (!transaction) throw new PageError(403, 'error.link');
  return transaction;
}

/** The language of a page: what its URL says, else what the wallet said. */
export function translatorFor(ctx: Context, shell: Shell, transaction?: Transaction): Translator {
  const asked = ctx.query['lang'];
  return shell.speak(ctx, typeof asked === 'string' ? asked : undefined, transaction?.lang);
}

/**
 * Opens a visit to the form's pages.
 * @throws {PageError} 403 without a session for this transaction
 */
export async function openVisit(ctx: Context, shell: Shell): Promise<Visit> {
  const transaction = await lookUp(ctx, shell, 'transaction_id');
  const session = findSession(ctx, shell.sessions, transaction);
  if (!session) throw new PageError(403, 'error.session');
  return visitOf(ctx, shell, transaction, session);
}

export function visitOf(ctx: Context, shell: Shell, transaction: Transaction, session: Session): Visit {
  const anchor = shell.deps.anchor;
  return {
    ctx,
    shell,
    anchor,
    asset: assetOf(anchor, transaction),
    transaction,
    session,
    translator: translatorFor(ctx, shell, transaction),
    signal: requestOf(ctx).signal,
  };
}

/** @throws {PageError} 503 when the asset is no longer in the spec: somebody has to put it back */
export function assetOf(anchor: Anchor, transaction: Transaction): Asset {
  const asset = anchor.assets.find(({ id }) => id === transaction.assetId);
  if (!asset) throw new PageError(503, 'error.unavailable', { retryAfterSeconds: 60 });
  return asset;
}

/** The path of one of this transaction's pages; a language that the URL asked for is kept. */
export function pathOf(
  { ctx, transaction }: Pick<Visit, 'ctx' | 'transaction'>,
  path: string = PATHS.interactive,
  more: Readonly<Record<string, string>> = {},
): string {
  const { lang } = ctx.query;
  const query = new URLSearchParams({
    transaction_id: transaction.id,
    ...(typeof lang === 'string' && { lang }),
    ...more,
  });
  return `${path}?${query.toString()}`;
}

/** 303: the browser GETs it, whatever it did before. */
export function redirect(ctx: Pick<Context, 'status' | 'set' | 'body'>, url: string): void {
  ctx.status = 303;
  ctx.set('Location', url);
  ctx.body = '';
}

/**
 * A guarded change by the server.
 * @throws {ConcurrentChange | TransitionRefused}
 */
export function write(
  { database }: Pick<InteractiveDeps, 'database'>,
  transaction: Transaction,
  change: Omit<Change, 'actor'>,
): Promise<Transaction> {
  return database
    .transaction()
    .execute((trx) => changeTransaction(trx, transaction, { ...change, actor: 'server' }));
}
