import pg from 'pg';

const UNIQUE_VIOLATION = '23505';

/** Whether PostgreSQL refused a write because of this unique index or constraint. */
export function violatesUnique(error: unknown, constraint: string): boolean {
  return (
    error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION && error.constraint === constraint
  );
}

/**
 * Classes of SQLSTATE: connection exceptions, too many connections, shutting down or starting, nothing heard of us in a transaction
 * (PostgreSQL, appendix A).
 */
const AWAY_STATES = /^(08|53300|57P0[123]|25P03)/;
const AWAY_CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EAI_AGAIN',
  'ENOTFOUND',
]);
/** pg and pg-pool throw plain errors with these sentences. */
const AWAY_SENTENCES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Whether PostgreSQL itself said no, so that the statement has done nothing for certain. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && !isDatabaseAway(error);

/** Whether a statement failed because PostgreSQL is away for now (restarting, cut off), not because of what was asked. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return AWAY_STATES.test(error.code ?? '');
  if (typeof error !== 'object' || error === null) return false;
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return AWAY_CODES.has(code) || (typeof message === 'string' && AWAY_SENTENCES.test(message));
}
