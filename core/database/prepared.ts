import { createHash } from 'node:crypto';
import pg from 'pg';

const names = new Map<string, string>();

/**
 * From now on each connection prepares this statement once, under a name, and PostgreSQL plans it no more than it finds useful: for the
 * busiest ones, of which the planning costs as much CPU as the execution (PostgreSQL, PREPARE).
 */
export function prepareByName(text: string): void {
  // A pooler may give us the connection on which another process has prepared: one name stands for one text everywhere.
  names.set(text, `capstan_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`);
}

/**
 * SQLSTATEs of a pooler that gives each transaction another connection and keeps no prepared statements (unknown, or there already),
 * and of a table that got another column meanwhile. The statement has done nothing.
 */
const NOT_PREPARED = new Set(['26000', '42P05', '0A000']);

/** A connection that prepares what it is asked to by `prepareByName`, until the database does not go along with that. */
export class PreparingClient extends pg.Client {
  #prepares = true;

  override query(...[text, values, callback]: never[]): never {
    const plainly = (): never => super.query(text as never, values as never, callback as never) as never;
    const name = this.#prepares && Array.isArray(values) ? names.get(text as never) : undefined;
    if (name === undefined) return plainly();
    return this.#ask(super.query({ name, text, values } as never), plainly) as never;
  }

  async #ask(prepared: Promise<unknown>, plainly: () => unknown): Promise<unknown> {
    try {
      return await prepared;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && NOT_PREPARED.has(error.code ?? ''))) throw error;
      this.#prepares = false;
      // Within a transaction nothing can be asked any more.
      if (this.getTransactionStatus() !== 'I') throw error;
      return await plainly();
    }
  }
}
