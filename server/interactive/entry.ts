import type { Context } from 'koa';
import { ConcurrentChange, findTransaction } from '../../core/database/repositories/transactions.ts';
import { rememberOnce } from '../../core/database/repositories/used-tokens.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { single } from '../middleware/query.ts';
import { requestOf } from '../request.ts';
import { callbackPatch, openerOrigin, readCallback, readReturnUrl } from './callbacks.ts';
import { PageError } from './page-error.ts';
import { findSession, openSession } from './session.ts';
import type { Shell } from './shell.ts';
import { isFor, readToken, textClaim, type Bound } from './tokens.ts';
import { pathOf, redirect, write } from './visit.ts';

/**
 * Turns the one-time token of a wallet's URL into a session of this browser, and the URL into one without the token. The
 * browser that did it may reload the URL; any other is refused. Looking (HEAD, prefetch) does not use the token up.
 * @throws {PageError} 400 for a callback that cannot be used, 403 for a token that is not good
 */
export async function redeem(
  ctx: Context,
  shell: Shell,
  transaction: Transaction,
  token: string,
): Promise<void> {
  if (isOnlyLooking(ctx)) {
    ctx.status = 204;
    return;
  }
  const target = pathOf({ ctx, transaction });
  const hasSession = findSession(ctx, shell.sessions, transaction) !== undefined;
  const bound = readToken(shell.sessions, 'interactive', token);
  if (!bound || !isFor(bound, transaction)) {
    if (!hasSession) throw new PageError(403, 'error.link');
    return redirect(ctx, target);
  }
  const policy = shell.deps.callbacks ?? {};
  const wanted = {
    callback: readCallback(single(ctx.query, 'callback'), policy),
    onChangeCallback: readCallback(single(ctx.query, 'on_change_callback'), policy),
  };
  if (!(await burn(shell, bound))) {
    if (!hasSession) throw new PageError(403, 'error.used');
    return redirect(ctx, target);
  }
  const patch = callbackPatch(transaction, wanted);
  if (patch) await store(shell, transaction, patch);
  openSession(ctx, shell.sessions, transaction, {
    opener: openerOrigin(ctx.get('Referer'), shell.origin.url),
    returnUrl: readReturnUrl(single(ctx.query, 'return_url'), transaction, shell.returnOrigins),
  });
  requestOf(ctx).log.info({ transaction_id: transaction.id }, 'a browser opened the interactive pages');
  redirect(ctx, target);
}

function isOnlyLooking(ctx: Context): boolean {
  return ctx.method === 'HEAD' || /prefetch|prerender/.test(ctx.get('Sec-Purpose') || ctx.get('Purpose'));
}

async function burn({ deps }: Shell, bound: Bound): Promise<boolean> {
  const jti = textClaim(bound, 'jti');
  return jti !== undefined && (await rememberOnce(deps.database, `interactive:${jti}`, bound.expiresAtMs));
}

/** Somebody who changed the row at this moment changed something else: the wishes are written on what they left. */
async function store(
  { deps }: Shell,
  transaction: Transaction,
  patch: ReturnType<typeof callbackPatch> & object,
): Promise<void> {
  try {
    await write(deps, transaction, { patch, reason: 'the wallet named its callbacks' });
  } catch (error) {
    if (!(error instanceof ConcurrentChange)) throw error;
    const fresh = await findTransaction(deps.database, transaction.id);
    if (fresh) await write(deps, fresh, { patch, reason: 'the wallet named its callbacks' });
  }
}
