import { createHash } from 'node:crypto';
import pg from 'pg';

const names = new Map<string, string>();

/**
 * From now on each connection prepares this statement once, under a name: for the busiest ones, which cost PostgreSQL more to plan than
 * to execute (https://www.postgresql.org/docs/current/sql-prepare.html).
 */
export function prepareByName(text: string): void {
  // A pooler may lend us a connection on which another process has prepared: one name stands for one text everywhere.
  names.set(text, `capstan_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`);
}

export const isPreparedByName = (text: string): boolean => names.has(text);

/** Of a pooler that lends each transaction another connection and keeps no prepared statements: unknown, or there already. */
const FORGOTTEN = new Set(['26000', '42P05']);
/** Among other things: its table has got another column meanwhile. */
const NOT_SUPPORTED = '0A000';

/**
 * A connection of a pool that prepares what `prepareByName` names, outside transactions: there a statement that the database does not
 * know can be asked again. Once a pool has met a pooler that forgets, it prepares no more.
 */
export function preparingClient(): typeof pg.Client {
  let doesPrepare = true;
  return class extends pg.Client {
    override query(...[text, values, callback]: never[]): never {
      const plainly = (): never => super.query(text as never, values as never, callback as never) as never;
      const name = names.get(text as never);
      if (name === undefined || !doesPrepare || callback !== undefined || this.getTransactionStatus() !== 'I')
        return plainly();
      return this.#ask(super.query({ name, text, values } as never), plainly) as never;
    }

    async #ask(prepared: Promise<unknown>, plainly: () => unknown): Promise<unknown> {
      try {
        return await prepared;
      } catch (error) {
        const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
        if (!FORGOTTEN.has(code) && code !== NOT_SUPPORTED) throw error;
        doesPrepare &&= code === NOT_SUPPORTED;
        return await plainly();
      }
    }
  };
}
