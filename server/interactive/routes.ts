import { Router, type RouterContext } from '@koa/router';
import type { Context } from 'koa';
import { ConcurrentChange } from '../../core/database/repositories/transactions.ts';
import { single } from '../middleware/query.ts';
import { answerFile } from './compressed.ts';
import { redeem } from './entry.ts';
import { errorPages } from './errors.ts';
import { answerEvents, answerStatus, showMoreInfo } from './more-info.ts';
import { PATHS } from './origin.ts';
import { PageError } from './page-error.ts';
import { comeBack } from './returned.ts';
import { viewFee } from './form-pages.ts';
import { screenOf, showScreen } from './screens.ts';
import type { Shell } from './shell.ts';
import { leave, readAmount, submit } from './submit.ts';
import { lookUp, openVisit, pathOf, redirect } from './visit.ts';

/**
 * The customer's pages (SEP-24, "Interactive URL" and `more_info_url`) on a shell, which also draws the app's own errors
 * (`renderErrorFor`). To be mounted in an app of `createApp`: they need the parsed body and what it knows about a request.
 */
export function routesOf(shell: Shell): Router {
  const router = new Router();
  const page = (serve: (ctx: Context, shell: Shell) => Promise<void>) => async (ctx: RouterContext) =>
    await serve(ctx, shell);
  const guarded = errorPages(shell);
  router.get(PATHS.interactive, guarded, page(showInteractive));
  router.post(
    PATHS.interactive,
    guarded,
    page(async (ctx) => await submit(await openVisit(ctx, shell))),
  );
  router.get(PATHS.fee, guarded, page(showFee));
  router.get(
    PATHS.completed,
    guarded,
    page(async (ctx) => await comeBack(await openVisit(ctx, shell))),
  );
  router.get(PATHS.moreInfo, guarded, page(showMoreInfo));
  router.get(PATHS.status, guarded, page(answerStatus));
  router.get(PATHS.events, guarded, page(answerEvents));
  router.get(`${PATHS.assets}/:file`, guarded, page(sendFile));
  return router;
}

async function showInteractive(ctx: Context, shell: Shell): Promise<void> {
  const token = single(ctx.query, 'token');
  if (token !== undefined) {
    return await redeem(ctx, shell, await lookUp(ctx, shell, 'transaction_id'), token);
  }
  const visit = await openVisit(ctx, shell);
  if (visit.transaction.status !== 'incomplete') return leave(visit, visit.transaction);
  const isEditingAmount = single(ctx.query, 'edit') === 'amount';
  const show = (single(ctx.query, 'show') ?? '').slice(0, 64);
  try {
    await showScreen(visit, await screenOf(visit, { isEditingAmount, show }), show);
  } catch (error) {
    // Another tab was faster: its step is the one to go on from.
    if (!(error instanceof ConcurrentChange)) throw error;
    redirect(ctx, pathOf(visit));
  }
}

/** The fee table alone, while the customer types. */
async function showFee(ctx: Context, shell: Shell): Promise<void> {
  const visit = await openVisit(ctx, shell);
  const { translator } = visit;
  const read = await readAmount(visit, (single(ctx.query, 'amount') ?? '').slice(0, 40));
  const view =
    'charge' in read
      ? { fee: viewFee(read.charge, visit) }
      : { fee_problem: translator.t(read.problem.key, read.problem.values) };
  shell.showPart(ctx, translator, { template: 'fee', status: 'charge' in read ? 200 : 422, view });
}

const YEAR_SECONDS = 31_536_000;

async function sendFile(ctx: Context, shell: Shell): Promise<void> {
  const file = shell.fileAt(ctx.path);
  if (!file) throw new PageError(404, 'error.not_found');
  // While a release or a branding is rolled out, another server may have drawn the page: its files are not here yet, or no more.
  const isAsNamed = file.url === ctx.path;
  ctx.set('Cache-Control', isAsNamed ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-store');
  answerFile(ctx, file);
}
