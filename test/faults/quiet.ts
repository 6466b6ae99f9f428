import { endFaults } from './inject.ts';
import type { Records } from './records.ts';
import { sleep } from './stellar.ts';
import type { World } from './world.ts';

const LOOK_MS = 1_000;
/** Work is done when nothing was open in so many looks, one after the other. */
const CALM_LOOKS = 4;

/**
 * Ends all faults, starts every process anew and waits until nothing is left to do. Back-offs that grew to minutes or hours
 * are cut short, as time would; leases are ended only while no process is alive that could hold one. Answers what was still
 * open when it gave up; empty when everything is done.
 */
export async function quieten(
  world: World,
  records: Records,
  patienceMs: number,
): Promise<readonly string[]> {
  await endFaults(world);
  await world.crew.stop();
  for (const statement of END_LEASES) await world.postgres.query(statement);
  await world.crew.start();
  const until = Date.now() + patienceMs;
  let open: readonly string[] = [];
  for (let calm = 0; calm < CALM_LOOKS;) {
    await sleep(LOOK_MS);
    for (const statement of HURRY) await world.postgres.query(statement);
    open = await openWork(world, records);
    calm = open.length === 0 ? calm + 1 : 0;
    if (Date.now() > until) return open;
  }
  return open;
}

/** Nobody is there to finish what was begun. */
const END_LEASES = ['task', 'submission'].map(
  (table) => `update ${table} set lease_token = null, lease_until = null where lease_token is not null`,
);

const HURRY = [
  `update task set next_attempt_at = clock_timestamp() where done_at is null and dead_at is null
    and lease_token is null and next_attempt_at > clock_timestamp() + interval '1 second'`,
  `update submission set next_attempt_at = clock_timestamp() where state = 'pending'
    and lease_token is null and next_attempt_at > clock_timestamp() + interval '2 seconds'`,
  `update transfer set next_attempt_at = clock_timestamp() where state = 'queued'
    and next_attempt_at > clock_timestamp() + interval '2 seconds'`,
  // What was claimed is looked for a second time ten minutes later.
  `update claimable_balance set missing_at = missing_at - interval '10 minutes'
    where missing_at > clock_timestamp() - interval '10 minutes'`,
];

/** What the anchor has still to do by itself; what waits for a person or a customer is left out. */
const OPEN = `
  select 'task ' || key as what from task where done_at is null and dead_at is null
  union all select 'submission ' || hash from submission where state = 'pending'
  union all select 'transfer ' || key || ' ' || coalesce(reason, '') from transfer
    where state in ('queued', 'submitted') and coalesce(reason, '') not like 'transaction is %'
  union all select 'claimable balance ' || id || ' ' || state from claimable_balance
    where state in ('open', 'reclaiming')
  union all select kind || ' ' || id || ' ' || status from "transaction"
    where transfer_received_at is not null and attention is null
      and status in ('pending_anchor', 'pending_stellar', 'pending_external')
`;

async function openWork(world: World, records: Records): Promise<readonly string[]> {
  const rows = await world.postgres.query(OPEN);
  const open = rows.map(({ what }) => String(what));
  const deposits = await world.postgres.query(
    `select id, status, transfer_received_at is not null as is_funded, attention from "transaction" where kind = 'deposit'`,
  );
  for (const { id, status, is_funded: isFunded, attention } of deposits) {
    const record = records.deposits.get(String(id));
    if (!record || attention !== null) continue;
    if (!isFunded) open.push(`deposit ${String(id)}: the bank's word is not heard`);
    else if (status === 'pending_trust' && !record.isUntrusted)
      open.push(`deposit ${String(id)} is trusted again`);
  }
  return open;
}
