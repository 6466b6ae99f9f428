import { sql } from 'kysely';
import type { MoneyInFlight } from '../../status/document.ts';
import type { Database } from '../database.ts';

/** Money whose way is not at its end, in counts: what must be 0 before an anchor may be taken down. */
export async function moneyInFlight(database: Database): Promise<MoneyInFlight> {
  // `not in` and each state by itself repeat the predicates of partial indexes.
  const { rows } = await sql<Record<keyof MoneyInFlight, string>>`select
    (select count(*) from transfer where state in ('queued', 'waiting')) as transfers_open,
    (select count(*) from submission where state = 'pending') as submissions_pending,
    (select count(*) from transaction
      where status not in ('completed', 'refunded', 'expired') and transfer_received_at is not null
        and status not in ('error', 'too_small', 'too_large', 'no_market')) as transactions_funded,
    (select count(*) from task where done_at is null and dead_at is null) as tasks_open,
    (select count(*) from task where dead_at is not null) as tasks_given_up,
    (select count(*) from receipt where state = 'unmatched' and is_alert)
      + (select count(*) from receipt where state = 'refunding' and is_alert) as receipts_alarming,
    (select count(*) from transaction where attention is not null) as attention`.execute(database);
  const [row] = rows;
  return {
    transfersOpen: Number(row?.transfersOpen),
    submissionsPending: Number(row?.submissionsPending),
    transactionsFunded: Number(row?.transactionsFunded),
    tasksOpen: Number(row?.tasksOpen),
    tasksGivenUp: Number(row?.tasksGivenUp),
    receiptsAlarming: Number(row?.receiptsAlarming),
    attention: Number(row?.attention),
  };
}
