import { sql, type RawBuilder } from 'kysely';
import { DUE, FREE, OPEN } from '../claim.ts';
import type { Database } from '../database.ts';
import type { TaskKind } from '../entities/work.ts';
import { FOR_CUSTOMER } from './waiting.ts';

/** What the loops of the watcher do: a kind of task, pay what is queued, take submissions a step on, or follow who is waited for. */
export type DueWork = TaskKind | 'transfer' | 'submission' | 'waiting';

/**
 * Of which kinds of work something is due that nobody is at: one statement, so that a process at rest asks one question instead of
 * one for each of its loops. It may name what cannot be done yet (an asset's money is stopped, an earlier callback hangs): the loop
 * finds out.
 *
 * @param sources whose queued transfers count
 */
export async function dueWork(
  database: Database,
  kinds: readonly TaskKind[],
  sources: readonly string[],
): Promise<ReadonlySet<DueWork>> {
  const ifAny = (kind: DueWork, rows: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`select ${kind}::text as kind where exists (${rows})`;
  const questions = [
    ifAny(
      'transfer',
      sql`select from transfer where state = 'queued' and source = any(${[...sources]}::text[]) and ${DUE}`,
    ),
    ifAny('waiting', sql`select from transfer where ${FOR_CUSTOMER}`),
    ifAny('submission', sql`select from submission where ${OPEN.submission} and ${DUE} and ${FREE}`),
    ...kinds.map((kind) =>
      ifAny(kind, sql`select from task where ${OPEN.task} and kind = ${kind} and ${DUE} and ${FREE}`),
    ),
  ];
  const { rows } = await sql<{ kind: DueWork }>`${sql.join(questions, sql` union all `)}`.execute(database);
  return new Set(rows.map(({ kind }) => kind));
}
