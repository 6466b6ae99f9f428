import { holdRole, releaseRole, writeReport } from '../../core/database/repositories/control.ts';
import type { Recorded } from '../../core/database/repositories/deadlines.ts';
import { distributionAccounts, type PaymentContext } from '../../core/payments/context.ts';
import { createPauses } from '../../core/payments/pauses.ts';
import { payDue } from '../../core/payments/pay.ts';
import { takeSubmissions } from '../../core/payments/settle.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import { callbackSender, type WalletCalls } from './callbacks.ts';
import { keepDeadlines } from './deadlines.ts';
import { followChannels } from './channels.ts';
import { takeEffects, type EffectContext } from './effects.ts';
import { ingest, type IngestState } from './ingest.ts';
import { runPool } from './pool.ts';
import { followTrustlines } from './trustlines.ts';

export interface WatcherContext extends PaymentContext, EffectContext {
  /** How wallets are called back. */
  readonly wallets: WalletCalls;
  /** Names this process among its like: pod name, or host and pid. */
  readonly holder: string;
}

const ROLE = 'watch-transactions';
const RENEW_MS = 2_000;
const LEASE_MS = 6_000;
const REPORT_MS = 5_000;
const LOOK_FOR_WORK_MS = 250;

/**
 * The one process that owns the hot wallet (design section 2): records receipts, submits and settles transfers, calls the
 * integration and the wallets. Several may run: one works, the others wait for its lease to end. Everything below is correct with two at
 * work at once; the lease only saves work.
 */
export async function watchTransactions(context: WatcherContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (await tryHold(context)) {
      context.log.info({ holder: context.holder }, 'watching');
      await lead(context, signal);
    }
    await context.clock.sleep(RENEW_MS, signal);
  }
  await releaseRole(context.database, ROLE, context.holder).catch((error: unknown) =>
    context.log.warn({ err: error }, 'the lease could not be given back; it ends by itself'),
  );
}

/** Works until the lease is lost or the process stops. */
async function lead(context: WatcherContext, outer: AbortSignal): Promise<void> {
  const lost = new AbortController();
  const signal = AbortSignal.any([outer, lost.signal]);
  const { clock, log } = context;
  const states = new Map<string, IngestState>();
  const shared = { clock, signal, log, idleMs: LOOK_FOR_WORK_MS };
  await Promise.all([
    renew(context, signal, () => lost.abort()),
    ...distributionAccounts(context.anchor).map((account) =>
      ingest(context, account, signal, (state) => states.set(account, state)),
    ),
    runPool({ ...shared, name: 'submissions', limit: 100, take: (count) => takeSubmissions(context, count) }),
    runPool({ ...shared, name: 'effects', limit: 10, take: (count) => takeEffects(context, count) }),
    runPool({ ...shared, name: 'callbacks', limit: 50, take: callbackSender(context) }),
    pay(context, signal),
    followChannels(context, signal),
    followTrustlines(context, signal),
    keepDeadlines(context, () => recorded(context, states), signal),
    report(context, signal, states),
  ]);
}

/** A stream tells of a ledger's payments this much after the ledger itself can be read, at most. */
const STREAM_LAG_MS = 30_000;

/** Until when payments are recorded: only of accounts that are caught up, by the ledger's time. */
async function recorded(
  context: WatcherContext,
  states: ReadonlyMap<string, IngestState>,
): Promise<Recorded> {
  const accounts = [...states].filter(([, { state }]) => state === 'streaming').map(([account]) => account);
  try {
    const { closedAtMs } = await context.horizon.latestLedger();
    return { accounts, untilMs: closedAtMs - STREAM_LAG_MS };
  } catch (error) {
    context.log.warn({ err: error }, 'withdrawals do not expire while the ledger cannot be read');
    return { accounts: [], untilMs: 0 };
  }
}

async function tryHold(context: WatcherContext): Promise<boolean> {
  try {
    return await holdRole(context.database, { name: ROLE, holder: context.holder, leaseMs: LEASE_MS });
  } catch (error) {
    context.log.error({ err: error }, 'the lease could not be read');
    return false;
  }
}

async function renew(context: WatcherContext, signal: AbortSignal, onLost: () => void): Promise<void> {
  let heldUntil = context.clock.now() + LEASE_MS;
  while (!signal.aborted) {
    await context.clock.sleep(RENEW_MS, signal);
    if (signal.aborted) return;
    const askedAt = context.clock.now();
    if (await tryHold(context)) heldUntil = askedAt + LEASE_MS;
    else if (context.clock.now() >= heldUntil) {
      context.log.warn({ holder: context.holder }, 'lost the lease; standing by');
      return onLost();
    }
  }
}

async function pay(context: WatcherContext, signal: AbortSignal): Promise<void> {
  const pauses = createPauses(context.clock);
  while (!signal.aborted) {
    try {
      const count = await payDue(context, pauses);
      if (count > 0) continue;
    } catch (error) {
      context.log.error({ err: error }, 'looking for payments to make failed');
    }
    await context.clock.sleep(LOOK_FOR_WORK_MS, signal);
  }
}

/** Says in the database what the private status and the operator show. */
async function report(
  context: WatcherContext,
  signal: AbortSignal,
  states: ReadonlyMap<string, IngestState>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const close = await context.horizon
        .latestLedger()
        .catch((error: unknown) => ({ error: messageOf(error) }));
      await writeReport(context.database, 'watcher', {
        holder: context.holder,
        ledger: close,
        horizon: context.horizon.urlHealth(),
        accounts: Object.fromEntries(states),
        integration: context.integration.circuit,
      });
    } catch (error) {
      context.log.warn({ err: error }, 'the report could not be written');
    }
    await context.clock.sleep(REPORT_MS, signal);
  }
}
