import type { Records } from './records.ts';
import { sleep } from './stellar.ts';
import type { World } from './world.ts';

const LOOK_MS = 1_500;

/** What a person is called for: accounts that are frozen, transfers that may be paid already (design 6.8). */
const CALLS = `
  select account as what from frozen_account
  union all select key from transfer where state = 'waiting' and reason = 'maybe_paid' limit 1`;

/**
 * Plays the person who is called when the journal is not complete: looks every moment, knows of the restored dumps and of the
 * payments made from elsewhere, and says with `capstan reconcile adopt` that what looks paid is. Ends with the signal.
 */
export async function playOperator(world: World, records: Records, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(LOOK_MS);
    // The database may be away just now, or a submission of ours still under way: then later.
    const calls = await world.postgres.query(CALLS).catch(() => []);
    if (calls.length === 0) continue;
    try {
      const why = 'a fault of the simulation';
      await world.crew.run('reconcile adopt', '--paid-as-matched', '--reason', why, '--as', 'sim', '--yes');
      records.adoptions += 1;
    } catch (error) {
      records.refusals.push(String(error).slice(0, 300));
    }
  }
}
