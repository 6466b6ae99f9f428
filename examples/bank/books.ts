import { randomInt } from 'node:crypto';
import { formatAmount, parseAmount } from '../../integration/sdk.ts';
import type { openDatabase } from '../../integration/sdk.ts';
import * as rows from './rows.ts';
import type { Authorization, Customer, Deposit, Payout, Refund, Review } from './rows.ts';
import type { ZodType } from 'zod';
import { SCHEMA } from './schema.ts';

type Database = ReturnType<typeof openDatabase>;

/** The bank refuses; the message is for whoever asked. */
export class BankError extends Error {
  readonly status: 400 | 404 | 409;

  constructor(status: 400 | 404 | 409, message: string) {
    super(message);
    this.name = 'BankError';
    this.status = status;
  }
}

export interface NewDeposit {
  readonly id: string;
  readonly asset: string;
  readonly account: string;
  readonly memo: string;
  readonly expected: string | undefined;
}

export interface NewPayout {
  readonly idempotencyKey: string;
  readonly id: string;
  readonly asset: string;
  readonly account: string;
  readonly memo: string;
  readonly amount: string;
  readonly delayMs: number;
}

const LIST_LIMIT = 500;
/** Without letters and digits that are taken for each other. */
const REFERENCE_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** The bank's books: every change is one committed, fsynced database transaction. */
export class Books {
  readonly #database: Database;
  readonly #now: () => number;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
    database.exec(SCHEMA);
  }

  customer(account: string, memo: string): Customer | undefined {
    return this.#one(rows.customer, 'SELECT * FROM customers WHERE account = ? AND memo = ?', account, memo);
  }

  /** Keeps the customer; one that is known gets the new name and address. */
  saveCustomer({ account, memo, firstName, lastName, email }: Omit<Customer, 'number'>): void {
    this.#run(
      `INSERT INTO customers (account, memo, number, first_name, last_name, email, created_at)
       VALUES (?, ?, (SELECT coalesce(max(number), 0) + 1 FROM customers), ?, ?, ?, ?)
       ON CONFLICT (account, memo) DO UPDATE
       SET first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email`,
      account,
      memo,
      firstName,
      lastName,
      email,
      this.#now(),
    );
  }

  /** What the customer answered; undefined: never asked. */
  details(account: string, memo: string): Readonly<Record<string, string>> | undefined {
    const found = this.#one(
      rows.details,
      'SELECT * FROM details WHERE account = ? AND memo = ?',
      account,
      memo,
    );
    return found?.answers;
  }

  saveDetails({ account, memo, details }: Pick<Customer, 'account' | 'memo'> & { details: object }): void {
    this.#run(
      `INSERT INTO details (account, memo, answers, created_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (account, memo) DO UPDATE SET answers = excluded.answers`,
      account,
      memo,
      JSON.stringify(details),
      this.#now(),
    );
  }

  /** The deposit, expected from now on if it was not yet known. An amount that became known later is taken over. */
  expect({ id, asset, account, memo, expected }: NewDeposit): Deposit {
    this.#run(
      `INSERT INTO deposits (id, asset, account, memo, payment_reference, expected, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET expected = coalesce(excluded.expected, expected)`,
      id,
      asset,
      account,
      memo,
      newReference(),
      expected ?? null,
      this.#now(),
    );
    return this.deposit(id);
  }

  /** @throws {BankError} 404 */
  deposit(id: string): Deposit {
    const deposit = this.#one(rows.deposit, 'SELECT * FROM deposits WHERE id = ?', id);
    if (!deposit) throw new BankError(404, 'The bank expects no such transfer.');
    return deposit;
  }

  /**
   * Books an incoming transfer: `amount` (default: what is expected) under `reference` (default: a new one).
   * @throws {BankError} 400 without an amount, 404, 409 if it was received before or the reference is taken
   */
  receive(
    id: string,
    { amount, reference }: { readonly amount?: string | undefined; readonly reference?: string | undefined },
  ): Deposit {
    const deposit = this.deposit(id);
    if (deposit.received !== undefined) throw new BankError(409, 'This transfer was received before.');
    const received = amount ?? deposit.expected;
    if (received === undefined) throw new BankError(400, 'Say which amount came in.');
    const number = reference ?? `IN-${newReference()}`;
    if (this.#one(rows.deposit, 'SELECT * FROM deposits WHERE reference = ?', number)) {
      throw new BankError(409, 'Another transfer has this reference.');
    }
    const changes = this.#run(
      'UPDATE deposits SET received = ?, reference = ?, received_at = ? WHERE id = ? AND received IS NULL',
      positive(received),
      number,
      this.#now(),
      id,
    );
    if (changes !== 1) throw new BankError(409, 'This transfer was received before.');
    return this.deposit(id);
  }

  /** @throws {BankError} 404 */
  review(id: string, review: Review, reason: string | undefined): Deposit {
    this.deposit(id);
    this.#run('UPDATE deposits SET review = ?, reason = ? WHERE id = ?', review, reason ?? null, id);
    return this.deposit(id);
  }

  /** Capstan says that the customer has the tokens. */
  markPaid(id: string, paidBy: string): void {
    this.#run('UPDATE deposits SET paid_by = ? WHERE id = ?', paidBy, id);
  }

  /** Receives whatever is expected since before `createdBefore`, unless somebody holds it. */
  receiveDue(createdBefore: number): void {
    const due = this.#all(
      rows.deposit,
      `SELECT * FROM deposits WHERE received IS NULL AND expected IS NOT NULL AND created_at <= ?
       AND (review IS NULL OR review = 'approved') LIMIT ${LIST_LIMIT}`,
      createdBefore,
    );
    for (const { id } of due) this.receive(id, {});
  }

  /** Pays once for an idempotency key. @throws {BankError} 409 if the transaction was paid under another key */
  pay({ idempotencyKey, id, asset, account, memo, amount, delayMs }: NewPayout): Payout {
    const now = this.#now();
    this.#run(
      `INSERT INTO payouts (idempotency_key, id, asset, account, memo, amount, reference, created_at, done_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      idempotencyKey,
      id,
      asset,
      account,
      memo,
      positive(amount),
      `OUT-${newReference()}`,
      now,
      now + delayMs,
    );
    const payout = this.#one(
      rows.payout,
      'SELECT * FROM payouts WHERE idempotency_key = ? AND id = ?',
      idempotencyKey,
      id,
    );
    if (!payout) throw new BankError(409, 'This withdrawal was paid out under another idempotency key.');
    return payout;
  }

  payout(id: string): Payout | undefined {
    return this.#one(rows.payout, 'SELECT * FROM payouts WHERE id = ?', id);
  }

  /**
   * Sends received money back, once for an idempotency key.
   * @throws {BankError} 404, or 409 for more than came in and was not yet sent back
   */
  refund(idempotencyKey: string, { id, amount, reason }: Pick<Refund, 'id' | 'amount' | 'reason'>): Refund {
    return this.#transaction(() => {
      const known = this.#one(rows.refund, 'SELECT * FROM refunds WHERE idempotency_key = ?', idempotencyKey);
      if (known) return known;
      const left = parseAmount(this.deposit(id).received ?? '0') - this.#refunded(id);
      if (parseAmount(amount) > left)
        throw new BankError(409, `Of this transfer ${formatAmount(left)} can be sent back.`);
      const reference = `BACK-${newReference()}`;
      const createdAt = this.#now();
      this.#run(
        'INSERT INTO refunds (idempotency_key, id, amount, reason, reference, created_at) VALUES (?, ?, ?, ?, ?, ?)',
        idempotencyKey,
        id,
        positive(amount),
        reason,
        reference,
        createdAt,
      );
      return { id, amount, reason, reference, createdAt };
    });
  }

  /** Puts a trustline on the list of whoever holds the issuer's key; once, however often it is asked. @throws {BankError} 404 */
  authorize({ id, account, asset }: Omit<Authorization, 'createdAt'>): void {
    this.deposit(id);
    this.#run(
      'INSERT INTO authorizations (account, asset, id, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      account,
      asset,
      id,
      this.#now(),
    );
  }

  authorizations(): Authorization[] {
    return this.#all(
      rows.authorization,
      `SELECT * FROM authorizations ORDER BY created_at DESC, account LIMIT ${LIST_LIMIT}`,
    );
  }

  deposits(): Deposit[] {
    return this.#all(rows.deposit, `SELECT * FROM deposits ORDER BY created_at DESC, id LIMIT ${LIST_LIMIT}`);
  }

  payouts(): Payout[] {
    return this.#all(rows.payout, `SELECT * FROM payouts ORDER BY created_at DESC, id LIMIT ${LIST_LIMIT}`);
  }

  refunds(): Refund[] {
    return this.#all(rows.refund, `SELECT * FROM refunds ORDER BY created_at DESC, id LIMIT ${LIST_LIMIT}`);
  }

  #refunded(id: string): bigint {
    const refunds = this.#all(rows.refund, 'SELECT * FROM refunds WHERE id = ?', id);
    return refunds.reduce((sum, { amount }) => sum + parseAmount(amount), 0n);
  }

  #one<T>(schema: ZodType<T>, sql: string, ...values: (string | number)[]): T | undefined {
    const row = this.#database.prepare(sql).get(...values);
    return row && rows.toRow(schema, row);
  }

  #all<T>(schema: ZodType<T>, sql: string, ...values: (string | number)[]): T[] {
    return this.#database
      .prepare(sql)
      .all(...values)
      .map((row) => rows.toRow(schema, row));
  }

  #run(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function positive(amount: string): string {
  try {
    if (parseAmount(amount) > 0n) return formatAmount(parseAmount(amount));
  } catch {
    // Said below, for both reasons.
  }
  throw new BankError(400, 'Write the amount in digits, above zero, for example 12.50.');
}

/** Eight letters or digits that are easy to read out: 32⁸ of them, and the books refuse a second one of a kind. */
function newReference(): string {
  return Array.from({ length: 8 }, () =>
    REFERENCE_ALPHABET.charAt(randomInt(REFERENCE_ALPHABET.length)),
  ).join('');
}
