import type { RouterContext } from '@koa/router';
import { insertTransaction, type NewTransaction } from '../../core/database/repositories/transactions.ts';
import { parseAddress } from '../../core/keys/strkey.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import type { Kind } from '../../core/transaction/status.ts';
import type { Language } from '../interactive/locale.ts';
import { bodyOf } from '../middleware/body.ts';
import { requestOf } from '../request.ts';
import type { Sep24Deps } from './deps.ts';
import { planDeposit, planWithdrawal, type Plan, type PlanContext } from './plan.ts';
import { prefill } from './prefill.ts';
import { refuse } from './refusal.ts';
import { depositRequest, readRequest, withdrawRequest } from './request.ts';
import { collectSep9 } from './sep9.ts';
import type { Session } from './session.ts';

/** What both interactive endpoints answer, and nothing else: strict clients refuse further keys. */
export interface InteractiveAnswer {
  readonly type: 'interactive_customer_info_needed';
  readonly url: string;
  readonly id: string;
}

/**
 * POST /transactions/deposit/interactive and …/withdraw/interactive: checks everything that a wallet may send, writes the
 * transaction (`incomplete`, readable before we answer) and answers where the customer goes on.
 * @throws {BadRequest | AmountRefused | InvalidMemo}
 */
export async function startInteractive(
  kind: Kind,
  ctx: RouterContext,
  { session, lang, deps }: { readonly session: Session; readonly lang: Language; readonly deps: Sep24Deps },
): Promise<InteractiveAnswer> {
  const body = bodyOf(ctx);
  const context = { anchor: deps.anchor(), session, lang, id: deps.randomId() };
  const plan = planRequest(kind, body, context);
  const fields = collectSep9(body);
  await checkDestination(plan, ctx, { lang, deps });
  const { log, signal } = requestOf(ctx);
  const customerId = await prefill(plan, fields, {
    integration: deps.integration,
    lang,
    nowMs: deps.clock.now(),
    signal,
    log,
  });
  const wanted: NewTransaction = {
    ...plan.transaction,
    ...(customerId !== undefined && { customerId }),
  };
  const transaction = await insertTransaction(deps.database, wanted, 'server');
  log.info({ transaction_id: transaction.id, kind, asset: transaction.assetId }, 'transaction requested');
  return {
    type: 'interactive_customer_info_needed',
    url: deps.links.interactive(transaction, lang),
    id: transaction.id,
  };
}

function planRequest(kind: Kind, body: unknown, context: PlanContext): Plan {
  if (kind === 'deposit') return planDeposit(readRequest(depositRequest, body), context);
  return planWithdrawal(readRequest(withdrawRequest, body), context);
}

/**
 * An anchor that does not create accounts refuses a deposit to one that does not exist (SEP-24, "account_creation"). Native
 * deposits are no exception. When the ledger cannot be asked, the request goes on: the payout finds out.
 */
async function checkDestination(
  { transaction }: Plan,
  ctx: RouterContext,
  { lang, deps }: { readonly lang: Language; readonly deps: Sep24Deps },
): Promise<void> {
  const account = parseAddress(transaction.destination ?? '')?.account;
  const { lookupAccount } = deps;
  if (account === undefined || !lookupAccount || deps.anchor().payments.accountCreation.enabled) return;
  const { log, signal } = requestOf(ctx);
  let found: object | undefined;
  try {
    found = await lookupAccount(account, signal);
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'a deposit’s destination could not be looked up');
    return;
  }
  if (!found) throw refuse('account_not_found', lang);
}
