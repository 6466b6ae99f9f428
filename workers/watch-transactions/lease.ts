import { holdRole, releaseRole, roleFreeIn } from '../../core/database/repositories/control.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { withDeadline } from '../../core/runtime/deadline.ts';
import type { WorkWatch } from './due.ts';

export interface LeaseContext extends Pick<LedgerContext, 'database' | 'clock' | 'log'> {
  /** Names this process among its like. */
  readonly holder: string;
}

const ROLE = 'watch-transactions';
const RENEW_MS = 2_000;
const LEASE_MS = 6_000;
/** Who stands by looks this seldom, and when the lease is about to end. */
const STANDBY_MS = 3_000;
const SHORTEST_WAIT_MS = 50;

/** Waits for the lease and leads while it is ours, again and again until the signal aborts. */
export async function leadInTurn(
  context: LeaseContext,
  signal: AbortSignal,
  lead: () => Promise<void>,
): Promise<void> {
  const { clock, log, holder } = context;
  while (!signal.aborted) {
    const waitMs = await untilFree(context);
    if (waitMs > 0) await clock.sleep(Math.min(Math.max(waitMs, SHORTEST_WAIT_MS), STANDBY_MS), signal);
    else if (await tryHold(context, LEASE_MS)) {
      log.info({ holder }, 'watching');
      await lead();
    } else await clock.sleep(RENEW_MS, signal);
  }
}

/**
 * Renews the lease until it is lost or the signal aborts; lost is also what ends before PostgreSQL has answered, because another one
 * may have it then. While there is nothing to do the same statement looks for work.
 */
export async function keepLease(
  context: LeaseContext,
  work: WorkWatch,
  signal: AbortSignal,
  onLost: () => void,
): Promise<void> {
  const { clock, log, holder } = context;
  let heldUntil = clock.monotonic() + LEASE_MS;
  while (!signal.aborted) {
    await clock.sleep(RENEW_MS, signal);
    if (signal.aborted) return;
    const askedAt = clock.monotonic();
    const isOurs = await tryHold(context, heldUntil - askedAt, work);
    if (isOurs === true) heldUntil = askedAt + LEASE_MS;
    else if (isOurs === false || clock.monotonic() >= heldUntil - SHORTEST_WAIT_MS) {
      log.warn({ holder }, 'lost the lease; standing by');
      return onLost();
    }
  }
}

export async function releaseLease({ database, holder, log }: LeaseContext): Promise<void> {
  await releaseRole(database, ROLE, holder).catch((error: unknown) =>
    log.warn({ err: error }, 'the lease could not be given back; it ends by itself'),
  );
}

/** A lease that is given back is seen at the next look, one that ends under a dead process at once. */
async function untilFree({ database, holder, log }: LeaseContext): Promise<number> {
  try {
    return await roleFreeIn(database, { name: ROLE, holder });
  } catch (error) {
    log.error({ err: error }, 'the lease could not be read');
    return RENEW_MS;
  }
}

/** False: another holds it. Undefined: it could not be asked. */
async function tryHold(
  { database, holder, clock, log }: LeaseContext,
  timeoutMs: number,
  work?: WorkWatch,
): Promise<boolean | undefined> {
  const role = { name: ROLE, holder, leaseMs: LEASE_MS };
  const late = (): Error => new Error('PostgreSQL has not answered before the lease ended');
  const inTime = <T>(asked: () => Promise<T>): Promise<T> => withDeadline({ clock, timeoutMs, late }, asked);
  try {
    if (!work?.isAtRest()) return await inTime(() => holdRole(database, role));
    const { isHeld, due } = await inTime(() => work.holdAndLook(database, role));
    if (isHeld) {
      await due().then(
        (found) => work.saw(found),
        (error: unknown) => log.error({ err: error }, 'looking for work failed'),
      );
    }
    return isHeld;
  } catch (error) {
    log.error({ err: error }, 'the lease could not be taken');
    return undefined;
  }
}
