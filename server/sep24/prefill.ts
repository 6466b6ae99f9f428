import type { IntegrationClient } from '../../core/integration/client.ts';
import type { IntegrationTransaction } from '../../core/integration/contract.ts';
import { IntegrationMisbehaved, IntegrationUnavailable } from '../../core/integration/errors.ts';
import type { Log } from '../../core/runtime/log.ts';
import { formatAmount } from '../../core/transaction/amount.ts';
import type { Language } from '../interactive/locale.ts';
import { BadRequest } from '../middleware/http-error.ts';
import type { Plan } from './plan.ts';

export interface PrefillContext {
  readonly integration: Pick<IntegrationClient, 'has' | 'call'> | undefined;
  readonly lang: Language;
  readonly nowMs: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Hands a request's SEP-9 values to the integration, which may name the customer they belong to. They are a comfort (the
 * form comes filled in): if the integration is away the customer types them, and the request goes on.
 * @returns the integration's id of the customer
 * @throws {BadRequest} in the integration's words, when it says which values are wrong
 */
export async function prefill(
  plan: Plan,
  fields: Readonly<Record<string, string>>,
  { integration, lang, nowMs, signal, log }: PrefillContext,
): Promise<string | undefined> {
  if (!integration || Object.keys(fields).length === 0) return undefined;
  try {
    if (!(await integration.has('customers/prefill'))) return undefined;
    const answer = await integration.call(
      'customers/prefill',
      { transaction: viewOf(plan, lang, nowMs), fields, lang },
      { idempotencyKey: `prefill/${plan.transaction.id}`, signal },
    );
    if ('accepted' in answer) return answer.customerId;
    throw new BadRequest(answer.message ?? describe(answer.errors), { code: 'prefill_refused' });
  } catch (error) {
    if (!(error instanceof IntegrationUnavailable) && !(error instanceof IntegrationMisbehaved)) throw error;
    log.warn({ err: error }, 'SEP-9 fields of a request were not taken by the integration');
    return undefined;
  }
}

function describe(errors: Readonly<Record<string, string>>): string {
  return Object.entries(errors)
    .map(([name, error]) => `${name}: ${error}`)
    .join('; ');
}

/** The transaction as the integration sees it, before its row is written: a refused request leaves none. */
function viewOf({ asset, transaction }: Plan, lang: Language, nowMs: number): IntegrationTransaction {
  const { id, kind, subject, amountExpected, clientDomain, customerId, destination, source } = transaction;
  const [account = subject, accountMemo] = subject.split(':');
  return {
    id,
    kind,
    status: 'incomplete',
    asset: { code: asset.code, ...(asset.issuer !== undefined && { issuer: asset.issuer }) },
    account,
    ...(accountMemo !== undefined && { accountMemo }),
    ...(typeof amountExpected === 'bigint' && { amountExpected: formatAmount(amountExpected) }),
    ...(typeof clientDomain === 'string' && { clientDomain }),
    ...(typeof customerId === 'string' && { customerId }),
    ...(typeof destination === 'string' && { to: destination }),
    ...(typeof source === 'string' && { from: source }),
    createdAt: new Date(nowMs).toISOString(),
    lang,
  };
}
