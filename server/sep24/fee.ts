import type { Context } from 'koa';
import { withDeadline } from '../../core/runtime/deadline.ts';
import { CapstanError, messageOf } from '../../core/runtime/errors.ts';
import { formatAmount } from '../../core/transaction/amount.ts';
import { checkAmount, quoteFee } from '../../core/transaction/charge.ts';
import type { Language } from '../interactive/locale.ts';
import { findAsset } from './assets.ts';
import { requestOf } from '../request.ts';
import type { Sep24Deps } from './deps.ts';
import { refuse } from './refusal.ts';
import { feeQuery, readRequest } from './request.ts';

/** How long `/info` waits to hear which hooks the integration has, when that was never heard before. */
const DECLARATION_TIMEOUT_MS = 1_000;

/**
 * Whether the integration sets the fees. Taken for true while it has never said: a schedule that might be wrong is not
 * shown, and strangers do not get to call it.
 */
export async function hasFeeHook(
  { integration, clock }: Sep24Deps,
  ctx: Pick<Context, 'req'>,
): Promise<boolean> {
  if (!integration) return false;
  const late = (): Error =>
    new CapstanError('declaration_late', 'The integration has not said what it does.');
  try {
    return await withDeadline({ clock, timeoutMs: DECLARATION_TIMEOUT_MS, late }, () =>
      integration.has('fee'),
    );
  } catch (error) {
    const reason = messageOf(error);
    requestOf(ctx).log.warn({ reason }, 'it is not known whether the integration sets the fees');
    return true;
  }
}

/**
 * GET /fee: `{ fee }` as a number, in units of the asset (deprecated by SEP-38, but wallets ask).
 * @throws {BadRequest | AmountRefused | IntegrationUnavailable | IntegrationMisbehaved}
 */
export async function readFee(
  query: unknown,
  { lang, deps, signal }: { readonly lang: Language; readonly deps: Sep24Deps; readonly signal: AbortSignal },
): Promise<{ readonly fee: number }> {
  const { operation, type, amount: amountIn, ...wanted } = readRequest(feeQuery, query);
  const anchor = deps.anchor();
  const asset = findAsset(anchor.assets, wanted, lang);
  const kind = operation === 'deposit' ? 'deposit' : 'withdrawal';
  if (!asset[kind].enabled) throw refuse(`${kind}_disabled`, lang, { asset: asset.code });
  checkAmount(asset, kind, amountIn);
  const { integration } = deps;
  const fee = await quoteFee({ anchor, asset, kind, amountIn, lang, integration, type, signal });
  return { fee: Number(formatAmount(fee.total)) };
}
