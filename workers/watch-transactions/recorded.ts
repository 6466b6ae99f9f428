import type { Recorded } from '../../core/database/repositories/deadlines.ts';
import { findCursor } from '../../core/database/repositories/receipts.ts';
import { distributionAccounts, type LedgerContext } from '../../core/payments/context.ts';

/** A look costs three requests an account. */
const BELIEVED_MS = 60_000;
const NOTHING: Recorded = { accounts: [], untilMs: 0 };

/**
 * Answers until which close time all payments to which accounts are recorded, at most a minute old. It is proven by one
 * Horizon: first it says which ledger it has, then that it knows of nothing behind our cursor.
 */
export function createRecorded(context: LedgerContext): () => Promise<Recorded> {
  let known: { readonly askedAtMs: number; readonly answer: Recorded } | undefined;
  return async () => {
    if (known && context.clock.monotonic() - known.askedAtMs < BELIEVED_MS) return known.answer;
    known = { askedAtMs: context.clock.monotonic(), answer: await recordedNow(context) };
    return known.answer;
  };
}

async function recordedNow(context: LedgerContext): Promise<Recorded> {
  const proven: { readonly account: string; readonly untilMs: number }[] = [];
  for (const account of distributionAccounts(context.anchor)) {
    try {
      const untilMs = await recordedUntil(context, account);
      if (untilMs !== undefined) proven.push({ account, untilMs });
    } catch (error) {
      context.log.warn(
        { err: error, account },
        'withdrawals of this account do not expire while the ledger cannot be read',
      );
    }
  }
  if (proven.length === 0) return NOTHING;
  return {
    accounts: proven.map(({ account }) => account),
    untilMs: Math.min(...proven.map(({ untilMs }) => untilMs)),
  };
}

async function recordedUntil(
  { database, horizon }: LedgerContext,
  account: string,
): Promise<number | undefined> {
  const { latestLedger, url } = await horizon.account(account);
  const cursor = await findCursor(database, account);
  if (latestLedger === 0 || !cursor) return undefined;
  const behind = await horizon.payments(account, { cursor: cursor.position, pin: url });
  if (behind.length > 0) return undefined;
  return (await horizon.ledger(latestLedger, { pin: url }))?.closedAtMs;
}
