import type { Context } from 'koa';
import { statusChanges, type StatusChange } from '../../core/database/repositories/status-changes.ts';
import { ConcurrentChange } from '../../core/database/repositories/transactions.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { Organization } from '../../core/spec/anchor.ts';
import { serializeTransaction } from '../../core/transaction/sep24-object.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { single } from '../middleware/query.ts';
import { requestOf } from '../request.ts';
import { messageTarget, openerOrigin, POST_MESSAGE, readCallback, readReturnUrl } from './callbacks.ts';
import { askInstructions } from './finish.ts';
import { answerLive, STREAM_MS } from './live.ts';
import { PATHS } from './origin.ts';
import { PageError } from './page-error.ts';
import { findSession, findView, openView, type Session } from './session.ts';
import type { Shell } from './shell.ts';
import { viewStatus } from './status-view.ts';
import { isFor, readToken } from './tokens.ts';
import { assetOf, lookUp, pathOf, translatorFor, write } from './visit.ts';

/** How often a browser without scripts loads the page again. */
const REFRESH_SECONDS = 20;

/** What a status page shows; all that is read from the database or asked of others is in it. */
export interface StatusFacts {
  readonly transaction: Transaction;
  /** Origin of the page that opened ours, as far as the browser told. */
  readonly opener: string | undefined;
  /** The session of a browser that filled the form. */
  readonly session?: Session | undefined;
  /** Through which statuses it came. */
  readonly changes?: readonly StatusChange[];
}

interface Permitted extends StatusFacts {
  /** By the token of `more_info_url` alone. */
  readonly isNew: boolean;
}

/**
 * The transaction of a status page: by the session of the browser that filled the form, by the token of `more_info_url`, or
 * by the cookie that remembers such a token.
 * @throws {PageError} 403
 */
async function permit(ctx: Context, shell: Shell): Promise<Permitted> {
  const transaction = await lookUp(ctx, shell, 'id');
  const session = findSession(ctx, shell.sessions, transaction);
  // With a session the Referer may be that of a bank's page on the way; without one the wallet has just opened us.
  if (session) return { transaction, session, opener: session.opener, isNew: false };
  const view = findView(ctx, shell.sessions, transaction);
  const token = single(ctx.query, 'token');
  const bound = token === undefined ? undefined : readToken(shell.sessions, 'more-info', token);
  const isBearer = bound !== undefined && isFor(bound, transaction);
  if (!isBearer && (!view || token !== undefined)) throw new PageError(403, 'error.expired_link');
  const opener = openerOrigin(ctx.get('Referer'), shell.origin.url) ?? view?.opener;
  return { transaction, session: undefined, opener, isNew: isBearer };
}

/** GET more_info: what there is to know about a transaction, for people. */
export async function showMoreInfo(ctx: Context, shell: Shell): Promise<void> {
  const { transaction: found, opener, session, isNew } = await permit(ctx, shell);
  const { lang } = translatorFor(ctx, shell, found);
  const transaction = await withInstructions(ctx, shell, found, lang);
  const changes = await statusChanges(shell.deps.database, transaction.id);
  if (isNew) openView(ctx, shell.sessions, transaction, opener);
  showStatus(ctx, shell, { transaction, opener, session, changes });
}

/** Draws the page out of what is known: the server's and the gallery's. */
export function showStatus(ctx: Context, shell: Shell, facts: StatusFacts): void {
  const { transaction, changes = [] } = facts;
  const { anchor, clock } = shell.deps;
  const translator = translatorFor(ctx, shell, transaction);
  const status = viewStatus(transaction, {
    asset: assetOf(anchor, transaction),
    network: anchor.network,
    translator,
    changes,
    nowMs: clock.now(),
  });
  const query = statusQuery(ctx).toString();
  shell.show(ctx, translator, {
    template: 'status',
    view: {
      title: `${status.heading} – ${status.title}`,
      kind: transaction.kind,
      status,
      version: String(transaction.version),
      page_url: `${PATHS.moreInfo}?${query}`,
      status_url: `${PATHS.status}?${query}`,
      events_url: status.isFinal ? '' : `${PATHS.events}?${query}`,
      message: messageView(ctx, shell, facts),
      ...waysOn(ctx, shell, facts),
      support_url: status.needsHelp ? supportUrl(anchor.organization, status.subject) : undefined,
      refresh_seconds: status.isFinal ? undefined : REFRESH_SECONDS,
    },
  });
}

/** A letter to a person who can look it up. */
function supportUrl({ supportEmail }: Organization, subject: string): string | undefined {
  if (supportEmail === undefined) return undefined;
  return `mailto:${encodeURIComponent(supportEmail)}?subject=${encodeURIComponent(subject)}`;
}

/** Back into the form, where this browser may; and back to the wallet's own page. */
function waysOn(ctx: Context, shell: Shell, { transaction, session }: StatusFacts): object {
  const isOpen = transaction.status === 'incomplete' && session !== undefined;
  const asked = readReturnUrl(single(ctx.query, 'return_url'), transaction, shell.returnOrigins);
  return {
    continue_url: isOpen ? pathOf({ ctx, transaction }) : undefined,
    return_url: transaction.status === 'incomplete' ? undefined : (asked ?? session?.returnUrl),
  };
}

function statusQuery(ctx: Context): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['id', 'token', 'lang', 'callback', 'on_change_callback', 'return_url']) {
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
    // A button that closes the window is for whoever opened one, asked to be told or not.
    has_close: transaction.status !== 'incomplete',
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

/** GET more_info/events: the version of the transaction as it changes. */
export async function answerEvents(ctx: Context, shell: Shell): Promise<void> {
  const { transaction } = await permit(ctx, shell);
  const { clock, liveStreamMs: streamMs = STREAM_MS } = shell.deps;
  answerLive(ctx, { follower: shell.follower, clock, streamMs }, transaction);
}
