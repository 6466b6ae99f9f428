import pg from 'pg';

const UNIQUE_VIOLATION = '23505';

/** Whether PostgreSQL refused a write because of this unique index or constraint. */
export function violatesUnique(error: unknown, constraint: string): boolean {
  return (
    error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION && error.constraint === constraint
  );
}
