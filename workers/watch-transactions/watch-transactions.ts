import { createLostClaims, type LostClaims } from '../../core/database/lost-claims.ts';
import { writeReport } from '../../core/database/repositories/control.ts';
import { distributionAccounts, type PaymentContext } from '../../core/payments/context.ts';
import { createLookups } from '../../core/payments/lookups.ts';
import { createJournalGuard } from '../../core/payments/journal-guard.ts';
import { createPauses } from '../../core/payments/pauses.ts';
import { payDue } from '../../core/payments/pay.ts';
import { takeSubmissions } from '../../core/payments/settle.ts';
import { liveSuspensions } from '../../core/payments/suspension.ts';
import { createBell, type Bell } from '../../core/runtime/bell.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import { createIdle } from '../../core/runtime/idle.ts';
import { REPORTS } from '../../core/status/document.ts';
import { callbackSender, type WalletCalls } from './callbacks.ts';
import { keepDeadlines } from './deadlines.ts';
import { followChannels } from './channels.ts';
import { createCompletions } from './completions.ts';
import { LOOPS, ringForWork, watchWork, type Loop } from './due.ts';
import { ORDINARY, RARE, takeEffects, type EffectContext } from './effects.ts';
import { ingest, type IngestState } from './ingest.ts';
import { followJournal } from './journal.ts';
import { keepLease, leadInTurn, releaseLease } from './lease.ts';
import { followOutcomes } from './outcomes.ts';
import { runPool } from './pool.ts';
import { followPreflight } from './preflight.ts';
import { createRecorded } from './recorded.ts';
import { followUnclaimed } from './reclaim.ts';
import { followTrustlines } from './trustlines.ts';

export interface WatcherContext extends PaymentContext, EffectContext {
  /** How wallets are called back. */
  readonly wallets: WalletCalls;
  /** Names this process among its like: pod name, or host and pid. */
  readonly holder: string;
}

const REPORT_MS = 5_000;
/** A report does not wait for a ledger that is away: that it is away is what it has to say. */
const LOOK_MS = 2_000;
const GIVE_BACK_MS = 500;
/** A loop looks by itself so soon after it had something to do, and ever more rarely while it has nothing. */
const FIRST_IDLE_MS = 250;
const LONGEST_IDLE_MS = 120_000;

/**
 * The one process that owns the hot wallet (design section 2): records receipts, submits and settles transfers, calls the
 * integration and the wallets. Several may run: one works, the others wait for its lease to end. Everything below is correct with two at
 * work at once; the lease only saves work.
 */
export async function watchTransactions(base: WatcherContext, signal: AbortSignal): Promise<void> {
  const context = { ...base, lost: createLostClaims(base.clock) };
  const ending = new AbortController();
  const givingBack = giveBackLost(context, ending.signal);
  try {
    await leadInTurn(context, signal, () => lead(context, signal));
  } finally {
    ending.abort();
    await givingBack;
  }
  await releaseLease(context);
}

/** Works until the lease is lost or the process stops. */
async function lead(base: WatcherContext, outer: AbortSignal): Promise<void> {
  const deposed = new AbortController();
  const signal = AbortSignal.any([outer, deposed.signal]);
  const { clock, log } = base;
  const bells = Object.fromEntries(LOOPS.map((loop) => [loop, createBell(clock)])) as Record<Loop, Bell>;
  const work = watchWork(clock, distributionAccounts(base.anchor), bells);
  const compare = createBell(clock);
  const journal = createJournalGuard(base, () => compare.ring());
  const context: WatcherContext = { ...base, journal, ending: signal, wake: (loop) => bells[loop].ring() };
  const states = new Map<string, IngestState>();
  const complete = createCompletions(context.database);
  const shared = { clock, signal, log, idleMs: FIRST_IDLE_MS, longestIdleMs: LONGEST_IDLE_MS };
  await Promise.all([
    keepLease(context, work, signal, () => deposed.abort()),
    ...distributionAccounts(context.anchor).map((account) =>
      ingest(context, account, signal, (state) => states.set(account, state)),
    ),
    runPool({
      ...shared,
      name: 'submissions',
      limit: 100,
      bell: bells.submissions,
      take: (count) => takeSubmissions(context, count),
    }),
    ...(
      [
        ['effects', 8, ORDINARY, bells.effects],
        ['rare effects', 2, RARE, bells.rareEffects],
      ] as const
    ).map(([name, limit, kinds, bell]) =>
      runPool({
        ...shared,
        name,
        limit,
        bell,
        take: (count) => takeEffects(context, count, kinds, complete),
      }),
    ),
    runPool({
      ...shared,
      name: 'callbacks',
      limit: 50,
      bell: bells.callbacks,
      take: callbackSender(context),
    }),
    pay(context, bells.payments, signal),
    ringForWork(context, work, signal),
    followOutcomes(context, signal, () => compare.ring()),
    followJournal(context, journal, compare, signal),
    followChannels(context, signal),
    followTrustlines(context, bells.trustlines, signal),
    followUnclaimed(context, signal),
    keepDeadlines(context, createRecorded(context), signal),
    report(context, signal, states, () => work.isAtRest()),
    followPreflight(context, signal),
  ]);
}

async function pay(context: WatcherContext, bell: Bell, signal: AbortSignal): Promise<void> {
  const pauses = createPauses(context.clock);
  const lookups = createLookups(context);
  const idle = createIdle(FIRST_IDLE_MS, LONGEST_IDLE_MS);
  while (!signal.aborted) {
    try {
      const count = await payDue(context, pauses, lookups);
      if (count > 0) {
        idle.reset();
        continue;
      }
    } catch (error) {
      context.log.error({ err: error }, 'looking for payments to make failed');
    }
    await bell.wait(idle.next(), signal);
  }
}

/**
 * Soon after the database is back: nobody waits for what this process holds and does not work on, whether it leads, waits for the last
 * calls of when it did, or stands by. While it cannot be done everything else goes on.
 */
async function giveBackLost(
  { database, clock, log, lost }: WatcherContext & { readonly lost: LostClaims },
  signal: AbortSignal,
): Promise<void> {
  for (let isLast = false; !isLast;) {
    await lost.untilLost(signal);
    isLast = signal.aborted;
    await lost
      .giveBack(database)
      .catch((error: unknown) =>
        log.warn({ err: error }, 'what is held for nothing could not be given back yet'),
      );
    if (!isLast) await clock.sleep(GIVE_BACK_MS, signal);
  }
}

/** Says in the database what the private status and the operator show; at rest half as often, unless the spec stops other money. */
async function report(
  context: WatcherContext,
  signal: AbortSignal,
  states: ReadonlyMap<string, IngestState>,
  isAtRest: () => boolean,
): Promise<void> {
  const stopped = context.suspension ?? liveSuspensions(context.anchor);
  let told: string | undefined;
  while (!signal.aborted) {
    const suspended = Object.fromEntries(
      context.anchor.assets.map(({ id }) => [id, stopped.isSuspended(id)]),
    );
    const toTell = JSON.stringify(suspended);
    if (isAtRest() && told === toTell) told = undefined;
    else {
      told = toTell;
      await reportOnce(context, states, suspended).catch((error: unknown) =>
        context.log.warn({ err: error }, 'the report could not be written'),
      );
    }
    await context.clock.sleep(REPORT_MS, signal);
  }
}

async function reportOnce(
  { database, horizon, integration, holder }: WatcherContext,
  states: ReadonlyMap<string, IngestState>,
  suspended: Readonly<Record<string, boolean>>,
): Promise<void> {
  const ledger = await horizon
    .latestLedger({ deadlineMs: LOOK_MS })
    .catch((error: unknown) => ({ error: messageOf(error) }));
  await writeReport(database, REPORTS.watcher, {
    holder,
    ledger,
    horizon: horizon.urlHealth(),
    accounts: Object.fromEntries(states),
    integration: integration.circuit,
    suspended,
  });
}
