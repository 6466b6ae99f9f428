import type { Database } from '../../core/database/database.ts';
import type { Status } from '../../core/transaction/status.ts';
import type { Answer } from './client.ts';
import { parse, type Judge } from './judge.ts';
import type { Sending } from './wire.ts';

/** The way of a transaction as far as the server alone takes it: the rest is done by workers, which do not run here. */
const WAY: readonly string[] = ['incomplete', 'pending_anchor', 'pending_user_transfer_start'];

interface Told {
  /** Subjects to whom it was shown. */
  readonly readers: Set<string>;
  /** When which status was first told (`performance.now()`). */
  readonly firstAt: Map<string, number>;
}

/** Remembers what answers told of transactions, to be held against each other and in the end against the database. */
export class Truth {
  readonly #told = new Map<string, Told>();
  /** Ids that a 2xx promised. */
  readonly created = new Set<string>();

  /**
   * Reads the transactions out of an answer that `reader` (a token's subject) got to a request sent at `sentAt`
   * (`performance.now()`): none may be behind what was known before that.
   */
  hear(
    judge: Judge,
    { reader, sentAt }: { reader: string; sentAt: number },
    sending: Sending,
    answer: Answer,
  ): void {
    for (const { id, status } of transactionsIn(answer)) {
      const told = this.#told.get(id) ?? { readers: new Set<string>(), firstAt: new Map<string, number>() };
      this.#told.set(id, told);
      told.readers.add(reader);
      for (const [past, at] of told.firstAt) {
        const isAhead = past === status || (WAY.includes(past) && WAY.indexOf(status) > WAY.indexOf(past));
        if (at < sentAt && !isAhead)
          judge.blame(`${id} went from ${past} back to ${status}`, sending, answer);
      }
      if (!told.firstAt.has(status)) told.firstAt.set(status, performance.now());
    }
  }

  /** Compares with the database; `seeded` are the rows that were there at first. */
  async check(judge: Judge, database: Database, seeded: ReadonlyMap<string, Status>): Promise<void> {
    const rows = await database
      .selectFrom('transaction')
      .select(['id', 'subject', 'status', 'version'])
      .execute();
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const { id, status, version } of rows) {
      const first = seeded.get(id);
      if (first === undefined && !this.created.has(id))
        judge.blame(`${id} was written by a refused request`, undefined);
      if (first !== undefined && (status !== first || version !== 1))
        judge.blame(`${id} of ${first} was changed`, undefined);
      if (first === undefined && !WAY.includes(status)) judge.blame(`${id} is ${status}`, undefined);
    }
    for (const id of this.created)
      if (!byId.has(id)) judge.blame(`${id} was promised and is not there`, undefined);
    for (const [id, { firstAt, readers }] of this.#told) {
      const row = byId.get(id);
      for (const reader of readers) {
        if (row?.subject !== reader)
          judge.blame(`${id} of ${row?.subject} was shown to ${reader}`, undefined);
      }
      const furthest = Math.max(...[...firstAt.keys()].map((status) => WAY.indexOf(status)));
      if (row && WAY.indexOf(row.status) < furthest)
        judge.blame(`${id} fell back to ${row.status}`, undefined);
    }
    await this.#checkEvents(judge, database);
  }

  async #checkEvents(judge: Judge, database: Database): Promise<void> {
    const events = await database
      .selectFrom('event')
      .select(['transactionId', 'fromStatus', 'toStatus'])
      .execute();
    for (const { transactionId, fromStatus, toStatus } of events) {
      if (fromStatus === null || toStatus === null || fromStatus === toStatus) continue;
      if (WAY.indexOf(toStatus) <= WAY.indexOf(fromStatus))
        judge.blame(`${transactionId}: ${fromStatus} to ${toStatus}`, undefined);
    }
  }
}

function transactionsIn({
  status,
  text,
}: Answer): readonly { readonly id: string; readonly status: string }[] {
  if (status !== 200 || !text.startsWith('{')) return [];
  const body = parse(text) ?? {};
  const all = [body['transaction'], body['transactions']].flat() as (
    { id?: unknown; status?: unknown } | undefined
  )[];
  return all.flatMap((one) =>
    typeof one?.id === 'string' && typeof one.status === 'string' ? [{ id: one.id, status: one.status }] : [],
  );
}
