import type { Records } from './records.ts';
import { sleep } from './stellar.ts';
import type { World } from './world.ts';

const LOOK_MS = 1_500;

/** What a person is called for: accounts that are frozen, transfers that may be paid already (design 6.8). */
const CALLS = `
  select account from frozen_account
  union select source from transfer where state = 'waiting' and reason = 'maybe_paid'`;

/**
 * Plays the person who is called when the journal is not complete: looks every moment, knows of the restored dumps and of the
 * payments made from elsewhere, and says with `capstan reconcile adopt` that what looks paid is. Ends with the signal.
 */
export async function playOperator(world: World, records: Records, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(LOOK_MS);
    // The database may be away just now, or a submission of ours still under way: then later.
    const calls = await world.postgres.query(CALLS).catch(() => []);
    for (const { account } of calls) await adopt(world, records, String(account));
  }
}

async function adopt({ crew }: World, records: Records, account: string): Promise<void> {
  const reason = ['--reason', 'a fault of the simulation', '--as', 'sim', '--yes'];
  try {
    await crew.run('reconcile adopt', '--account', account, '--paid-as-matched', ...reason);
    records.adoptions += 1;
  } catch (error) {
    records.refusals.push(String(error).slice(0, 300));
  }
}
