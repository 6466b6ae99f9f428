import { postponeOrNote } from '../../core/database/lost-claims.ts';
import { buryTask, type TaskClaim } from '../../core/database/repositories/tasks.ts';
import { changeTransaction } from '../../core/database/repositories/transactions.ts';
import type { IntegrationClient } from '../../core/integration/client.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';

/** What every effect at the integration shares: one task, one transaction, one idempotency key. */
export interface EffectContext extends LedgerContext {
  readonly integration: IntegrationClient;
}

/** Of a task's claim: longer than a call's deadline with all its attempts. */
export const LEASE_MS = 60_000;
const BLOCKED_MS = 300_000;
const ASK_LATER_MS = 30_000;

/** The integration asks to wait. @param after seconds */
export function waitAsAsked(
  context: EffectContext,
  claimed: TaskClaim,
  after: number = ASK_LATER_MS / 1_000,
): Promise<void> {
  const again = { delayMs: Math.max(1, after) * 1_000, lastError: 'the integration asks to wait' };
  return postponeOrNote(context, 'task', claimed, { ...again, leaseMs: LEASE_MS });
}

/** A person has to look; the integration is asked again in five minutes. */
export async function waitForPerson(
  context: EffectContext,
  claimed: TaskClaim,
  transaction: Transaction,
  reason: string,
): Promise<void> {
  await note(context, transaction, `blocked at the integration: ${reason}`);
  const again = { delayMs: BLOCKED_MS, leaseMs: LEASE_MS, lastError: reason };
  await postponeOrNote(context, 'task', claimed, again);
}

/** Marks a transaction for a person, once. */
export async function note(
  context: EffectContext,
  transaction: Transaction,
  attention: string,
): Promise<void> {
  if (transaction.attention === attention) return;
  await context.database
    .transaction()
    .execute((trx) =>
      changeTransaction(trx, transaction, { patch: { attention }, actor: context.actor, reason: attention }),
    );
}

/** Ends the effect and leaves the transaction, on hold, to a person. */
export async function park(
  context: EffectContext,
  claimed: TaskClaim,
  transaction: Transaction,
  why: string,
): Promise<void> {
  await context.database.transaction().execute(async (trx) => {
    await buryTask(trx, claimed, why);
    await changeTransaction(trx, transaction, {
      status: 'on_hold',
      patch: { attention: why },
      actor: context.actor,
      reason: why,
    });
  });
  context.log.error({ transaction_id: transaction.id, why }, `a ${transaction.kind} needs a person`);
}
