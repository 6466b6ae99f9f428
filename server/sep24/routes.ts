import { Router, type RouterContext } from '@koa/router';
import type { z } from 'zod';
import { chooseLanguage, type Language } from '../interactive/locale.ts';
import { bodyOf } from '../middleware/body.ts';
import { requestOf } from '../request.ts';
import { tokenIssuer } from '../sep10/routes.ts';
import type { Sep24Deps } from './deps.ts';
import { hasFeeHook, readFee } from './fee.ts';
import { readHistory, readTransaction } from './history.ts';
import { keepInfo } from './info.ts';
import { startInteractive } from './interactive.ts';
import { toAnswer } from './refusal.ts';
import {
  depositRequest,
  feeQuery,
  infoQuery,
  readRequest,
  transactionQuery,
  transactionsQuery,
  withdrawRequest,
} from './request.ts';
import { authenticate, type Session } from './session.ts';

export type { Sep24Deps } from './deps.ts';

export interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Of the query, or of the body of a POST. */
  readonly schema: z.ZodType;
  /** `as-info-says`: `fee.authentication_required` of `/info`. */
  readonly auth: 'none' | 'token' | 'as-info-says';
}

/** SEP-24's endpoints and what each of them takes. */
export const sep24Endpoints = [
  { method: 'GET', path: '/sep24/info', schema: infoQuery, auth: 'none' },
  { method: 'GET', path: '/sep24/fee', schema: feeQuery, auth: 'as-info-says' },
  {
    method: 'POST',
    path: '/sep24/transactions/deposit/interactive',
    schema: depositRequest,
    auth: 'token',
  },
  {
    method: 'POST',
    path: '/sep24/transactions/withdraw/interactive',
    schema: withdrawRequest,
    auth: 'token',
  },
  { method: 'GET', path: '/sep24/transaction', schema: transactionQuery, auth: 'token' },
  { method: 'GET', path: '/sep24/transactions', schema: transactionsQuery, auth: 'token' },
] as const satisfies readonly Endpoint[];

type Handler = (ctx: RouterContext, lang: Language) => Promise<object>;

/** SEP-24 without its pages. To be mounted in an app of `createApp`: it needs the parsed body and the error boundary. */
export function sep24Routes(deps: Sep24Deps): Router {
  const router = new Router({ prefix: '/sep24' });
  const sessionOf = (ctx: RouterContext): Session =>
    authenticate(ctx, deps.clock.now(), {
      keys: deps.sessionKeys,
      issuer: tokenIssuer(deps.anchor().host),
    });

  const info = keepInfo();
  router.get(
    '/info',
    answer(async (ctx) => {
      readRequest(infoQuery, ctx.query);
      return info(deps.anchor(), await hasFeeHook(deps, ctx));
    }),
  );
  router.get(
    '/fee',
    answer(async (ctx, lang) => {
      if (await hasFeeHook(deps, ctx)) sessionOf(ctx);
      return await readFee(ctx.query, { lang, deps, signal: requestOf(ctx).signal });
    }),
  );
  router.post(
    '/transactions/deposit/interactive',
    answer((ctx, lang) => startInteractive('deposit', ctx, { session: sessionOf(ctx), lang, deps })),
  );
  router.post(
    '/transactions/withdraw/interactive',
    answer((ctx, lang) => startInteractive('withdrawal', ctx, { session: sessionOf(ctx), lang, deps })),
  );
  router.get(
    '/transaction',
    answer((ctx, lang) => readTransaction(ctx.query, { session: sessionOf(ctx), lang, deps })),
  );
  router.get(
    '/transactions',
    answer((ctx, lang) => readHistory(ctx.query, { session: sessionOf(ctx), lang, deps })),
  );
  return router;
}

/** Answers JSON that nobody keeps; what core raises becomes the refusal that SEP-24 wants, in the request's language. */
function answer(handle: Handler) {
  return async (ctx: RouterContext): Promise<void> => {
    const lang = languageOf(ctx);
    ctx.set('Cache-Control', 'no-store');
    try {
      ctx.body = await handle(ctx, lang);
    } catch (error) {
      throw toAnswer(error, lang);
    }
  };
}

function languageOf(ctx: RouterContext): Language {
  const { lang } = ctx.method === 'POST' ? bodyOf(ctx) : ctx.query;
  return chooseLanguage(typeof lang === 'string' ? lang : undefined);
}
