import type { Context } from 'koa';
import { ConcurrentChange } from '../../core/database/repositories/transactions.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { serializeTransaction } from '../../core/transaction/sep24-object.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { single } from '../middleware/query.ts';
import { requestOf } from '../request.ts';
import { messageTarget, openerOrigin, POST_MESSAGE, readCallback } from './callbacks.ts';
import { askInstructions } from './finish.ts';
import { PATHS } from './origin.ts';
import { PageError } from './page-error.ts';
import { findSession } from './session.ts';
import type { Shell } from './shell.ts';
import { viewStatus } from './status-view.ts';
import { isFor, readToken } from './tokens.ts';
import { assetOf, lookUp, translatorFor, write } from './visit.ts';

/** How often a browser without scripts loads the page again. */
const REFRESH_SECONDS = 20;

/** What a status page shows; all that is read from the database or asked of others is in it. */
export interface StatusFacts {
  readonly transaction: Transaction;
  /** Origin of the page that opened ours, as far as the browser told. */
  readonly opener: string | undefined;
}

/**
 * The transaction of a status page: by the token of `more_info_url`, or by the session of the browser that filled the form.
 * @throws {PageError} 403
 */
async function permit(ctx: Context, shell: Shell): Promise<StatusFacts> {
  const transaction = await lookUp(ctx, shell, 'id');
  const session = findSession(ctx, shell.sessions, transaction);
  const token = single(ctx.query, 'token');
  const bound = token === undefined ? undefined : readToken(shell.sessions, 'more-info', token);
  if (!session && !(bound && isFor(bound, transaction))) throw new PageError(403, 'error.expired_link');
  // With a session the Referer may be that of a bank's page on the way; without one the wallet has just opened us.
  const opener = session ? session.opener : openerOrigin(ctx.get('Referer'), shell.origin.url);
  return { transaction, opener };
}

/** GET more_info: what there is to know about a transaction, for people. */
export async function showMoreInfo(ctx: Context, shell: Shell): Promise<void> {
  const { transaction, opener } = await permit(ctx, shell);
  const { lang } = translatorFor(ctx, shell, transaction);
  showStatus(ctx, shell, { transaction: await withInstructions(ctx, shell, transaction, lang), opener });
}

/** Draws the page out of what is known: the server's and the gallery's. */
export function showStatus(ctx: Context, shell: Shell, { transaction, opener }: StatusFacts): void {
  const translator = translatorFor(ctx, shell, transaction);
  const status = viewStatus(transaction, assetOf(shell.deps.anchor, transaction), translator);
  shell.show(ctx, translator, {
    template: 'status',
    view: {
      title: `${status.heading} – ${status.title}`,
      kind: transaction.kind,
      status,
      version: String(transaction.version),
      status_url: `${PATHS.status}?${statusQuery(ctx).toString()}`,
      message: messageView(ctx, shell, { transaction, opener }),
      refresh_seconds: status.isFinal ? undefined : REFRESH_SECONDS,
    },
  });
}

function statusQuery(ctx: Context): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['id', 'token']) {
    const value = single(ctx.query, name);
    if (value !== undefined) query.set(name, value);
  }
  return query;
}

/** What the page's script is to send to the window that opened it (SEP-24 `callback=postMessage`), and to which origin. */
function messageView(ctx: Context, { deps }: Shell, { transaction, opener }: StatusFacts): object {
  const policy = deps.callbacks ?? {};
  const callback = readCallback(single(ctx.query, 'callback'), policy) ?? transaction.callback;
  const onChange =
    readCallback(single(ctx.query, 'on_change_callback'), policy) ?? transaction.onChangeCallback;
  const isUnseen = transaction.kind === 'deposit' && transaction.status === 'pending_user_transfer_start';
  return {
    // A wallet may close the window at the message: not before the customer has seen how to pay in.
    when: callback !== POST_MESSAGE || transaction.status === 'incomplete' ? '' : isUnseen ? 'close' : 'load',
    on_change: onChange === POST_MESSAGE ? 'yes' : '',
    target: messageTarget(transaction, opener),
  };
}

/**
 * With instructions, where the customer is to pay in and has none yet (a review that ended well has none). The page is
 * shown without them when the integration cannot give them now.
 */
async function withInstructions(
  ctx: Context,
  { deps }: Shell,
  transaction: Transaction,
  lang: string,
): Promise<Transaction> {
  const isMissing = transaction.status === 'pending_user_transfer_start' && transaction.instructions === null;
  if (!isMissing) return transaction;
  const { log, signal } = requestOf(ctx);
  try {
    const instructions = await askInstructions(deps, transaction, { lang, signal });
    if (!instructions) return transaction;
    const { deadline } = instructions;
    return await write(deps, transaction, {
      patch: { instructions, ...(deadline !== undefined && { userActionRequiredBy: new Date(deadline) }) },
      reason: 'the integration said how to pay in',
    });
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    if (!(error instanceof ConcurrentChange)) {
      log.warn({ err: error, transaction_id: transaction.id }, 'a status page is shown without instructions');
    }
    return transaction;
  }
}

/** GET more_info/status: whether the page is out of date, and the object that wallets are sent. */
export async function answerStatus(ctx: Context, shell: Shell): Promise<void> {
  const { transaction } = await permit(ctx, shell);
  const { anchor, links } = shell.deps;
  ctx.body = {
    version: String(transaction.version),
    transaction: serializeTransaction(transaction, { anchor, moreInfoUrl: links.moreInfo(transaction) }),
  };
}
