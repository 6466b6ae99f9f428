import type { Database } from '../../core/database/database.ts';
import {
  overdueTransactions,
  stopAskingAboutExpired,
  type OverdueQuery,
  type Recorded,
} from '../../core/database/repositories/deadlines.ts';
import {
  changeTransaction,
  ConcurrentChange,
  type Change,
} from '../../core/database/repositories/transactions.ts';
import { forgetExpired } from '../../core/database/repositories/used-tokens.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { createIdle } from '../../core/runtime/idle.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { expiredMessage } from './deadline-sentences.ts';

/** Deadlines are minutes and more: between two looks while some pass, and when none has for a while. */
const FIRST_IDLE_MS = 10_000;
const LONGEST_IDLE_MS = 30_000;
/** Of each kind in one pass; what is left has its turn in the next. */
const BATCH = 500;

export interface DeadlineContext {
  readonly database: Database;
  readonly anchor: Pick<Anchor, 'deadlines'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly actor: string;
}

/** Until when the ledger's payments are recorded, now. */
export type AskRecorded = () => Promise<Recorded>;

const NOTHING_RECORDED: Recorded = { accounts: [], untilMs: 0 };

/** Looks at least every 30 s whose time is over, until the signal aborts. */
export async function keepDeadlines(
  context: DeadlineContext,
  recorded: AskRecorded,
  signal: AbortSignal,
): Promise<void> {
  const idle = createIdle(FIRST_IDLE_MS, LONGEST_IDLE_MS);
  while (!signal.aborted) {
    const count = await passDeadlines(context, recorded, signal);
    if (count > 0) idle.reset();
    await context.clock.sleep(idle.next(), signal);
  }
}

/**
 * One pass. Nothing that holds money expires: a deposit without a trustline is kept and shown to a person instead, a
 * deposit that expires is asked about for a grace period still, and a withdrawal expires only when every payment until
 * then is recorded. Trouble with one step is logged and leaves the others alone. Answers how many deadlines were over.
 */
export async function passDeadlines(
  context: DeadlineContext,
  recorded: AskRecorded,
  signal: AbortSignal,
): Promise<number> {
  const { database, log, actor } = context;
  const { abandonedAfterMs, userActionRequiredMs, pendingTrustMs, expiredGraceMs } = context.anchor.deadlines;
  const steps = {
    incomplete: () =>
      changeOverdue(context, { status: 'incomplete', lastsMs: abandonedAfterMs }, NOTHING_RECORDED, signal),
    unpaid: async () => {
      // Until when payments are recorded costs requests to the ledger.
      const query = { status: 'pending_user_transfer_start', lastsMs: userActionRequiredMs } as const;
      const over = await overdueTransactions(database, { ...query, limit: 1 }, 'any');
      return over.length === 0 ? 0 : changeOverdue(context, query, await recorded(), signal);
    },
    'without trustline': () =>
      changeOverdue(context, { status: 'pending_trust', lastsMs: pendingTrustMs }, NOTHING_RECORDED, signal),
    forgotten: () => stopAskingAboutExpired(database, { graceMs: expiredGraceMs, actor, limit: BATCH }),
    'used tokens': () => forgetExpired(database),
  };
  let total = 0;
  for (const [name, step] of Object.entries(steps)) {
    if (signal.aborted) break;
    try {
      const count = await step();
      total += count;
      if (count > 0) log.info({ step: name, count }, 'deadlines passed');
    } catch (error) {
      log.error({ err: error, step: name }, 'looking for deadlines failed');
    }
  }
  return total;
}

/** Changes those whose deadline is over, each by itself; answers how many. */
async function changeOverdue(
  context: DeadlineContext,
  query: Omit<OverdueQuery, 'limit'>,
  recorded: Recorded,
  signal: AbortSignal,
): Promise<number> {
  const { database, log, actor } = context;
  let count = 0;
  for (const transaction of await overdueTransactions(database, { ...query, limit: BATCH }, recorded)) {
    if (signal.aborted) break;
    const change = overdueChange(transaction, actor);
    try {
      await database.transaction().execute((trx) => changeTransaction(trx, transaction, change));
      count += 1;
      const level = transaction.status === 'pending_trust' ? 'warn' : 'info';
      log[level]({ transaction_id: transaction.id, from: transaction.status }, change.reason);
    } catch (error) {
      // It moved on just now: in time after all.
      if (!(error instanceof ConcurrentChange)) throw error;
    }
  }
  return count;
}

function overdueChange(transaction: Transaction, actor: string): Change {
  if (transaction.status === 'pending_trust') {
    const reason = 'the customer has no trustline yet though the time for it is over; the money is here';
    return { patch: { attention: reason }, actor, reason };
  }
  const reason =
    transaction.status === 'incomplete' ? 'the form was not completed in time' : 'no payment came in time';
  // Without its deadline: what is over must not be looked at again and again.
  const patch = { message: expiredMessage(transaction), userActionRequiredBy: null };
  return { status: 'expired', patch, actor, reason };
}
