import { sql } from 'kysely';
import type { Database } from '../database.ts';

export interface JournalFigures {
  /** Accounts. */
  readonly frozen: number;
  /** Foreign transactions that nobody has adopted. */
  readonly foreign: number;
  /** Submissions for which a person was called. */
  readonly unproven: number;
}

/** How complete the journal is, in three numbers that should be 0. */
export async function journalFigures(database: Database): Promise<JournalFigures> {
  const { rows } = await sql<Record<keyof JournalFigures, string>>`select
    (select count(*) from frozen_account) as frozen,
    (select count(*) from foreign_transaction where adopted_at is null) as "foreign",
    (select count(*) from submission where state = 'pending' and alarmed_at is not null) as unproven`.execute(
    database,
  );
  const [row] = rows;
  return {
    frozen: Number(row?.frozen),
    foreign: Number(row?.foreign),
    unproven: Number(row?.unproven),
  };
}

/** When this anchor's first customer came; undefined when none has. Reads the whole table: for the first start alone. */
export async function firstCustomerAt(database: Database): Promise<Date | undefined> {
  const row = await database
    .selectFrom('transaction')
    .select((eb) => eb.fn.min('startedAt').as('at'))
    .executeTakeFirst();
  return row?.at ?? undefined;
}
