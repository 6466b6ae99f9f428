import { sql, type RawBuilder } from 'kysely';
import { DUE, FREE, OPEN } from '../claim.ts';
import { compileOnce } from '../compile-once.ts';
import type { Database } from '../database.ts';
import type { TaskKind } from '../entities/work.ts';
import { roleHeld, type Role } from './control.ts';
import { FOR_CUSTOMER } from './waiting.ts';

/** What the loops of the watcher do: a kind of task, pay what is queued, take submissions a step on, or follow who is waited for. */
export type DueWork = TaskKind | 'transfer' | 'submission' | 'waiting';

/** Asks what is due; made once by a process, because its statements are built once. */
export interface WorkQuestion {
  /**
   * Of which kinds of work something is due that nobody is at: one statement, so that a process at rest asks one question instead
   * of one for each of its loops. It may name what cannot be done yet (an asset's money is stopped, an earlier callback hangs):
   * the loop finds out.
   */
  due(database: Database): Promise<ReadonlySet<DueWork>>;
  /**
   * Takes or renews a role, as `holdRole` does, and looks in the same statement; for a process at rest. Of tasks it asks only whether
   * any is due: where one is, which at rest is seldom, `due` asks for their kinds.
   */
  holdAndLook(
    database: Database,
    role: Role,
  ): Promise<{ readonly isHeld: boolean; readonly due: () => Promise<ReadonlySet<DueWork>> }>;
}

/** @param sources whose queued transfers count */
export function askForWork(kinds: readonly TaskKind[], sources: readonly string[]): WorkQuestion {
  const tasksOf = (kind: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`select from task where ${OPEN.task} and kind = ${kind} and ${DUE} and ${FREE}`;
  const others = [
    ifAny(
      'transfer',
      sql`select from transfer where state = 'queued' and source = any(${[...sources]}::text[]) and ${DUE}`,
    ),
    ifAny('waiting', sql`select from transfer where ${FOR_CUSTOMER}`),
    ifAny('submission', sql`select from submission where ${OPEN.submission} and ${DUE} and ${FREE}`),
  ];
  const each = all([...others, ...kinds.map((kind) => ifAny(kind, tasksOf(sql`${kind}`)))]);
  const ask = compileOnce<Readonly<Record<string, never>>, { kind: DueWork }>((database) => ({
    compile: () => sql<{ kind: DueWork }>`${each}`.compile(database),
  }));
  const roughly = all([...others, ifAny('task', tasksOf(sql`any(${[...kinds]}::text[])`))]);
  const holdAndAsk = compileOnce<Role, { kind: DueWork | 'held' | 'task' }>((database, value) => ({
    compile: () =>
      sql<{ kind: DueWork | 'held' | 'task' }>`
        with held as (${roleHeld(value)}) select kind from held union all ${roughly}`.compile(database),
  }));
  const due: WorkQuestion['due'] = async (database) =>
    new Set((await ask(database, {})).map(({ kind }) => kind));
  return {
    due,
    holdAndLook: async (database, role) => {
      const found = (await holdAndAsk(database, role)).map(({ kind }) => kind);
      const known = found.filter((kind) => kind !== 'held' && kind !== 'task');
      return {
        isHeld: found.includes('held'),
        due: async () => (found.includes('task') ? due(database) : new Set(known)),
      };
    },
  };
}

const ifAny = (kind: string, rows: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`select ${kind}::text as kind where exists (${rows})`;
const all = (questions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> =>
  sql.join([...questions], sql` union all `);
