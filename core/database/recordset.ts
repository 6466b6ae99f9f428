import { sql, type RawBuilder } from 'kysely';
import type { Tables } from './schema.ts';

/** Values by column, in JavaScript's spelling; what JSON has no form for is written as PostgreSQL reads it. */
export type RecordValues = Readonly<Record<string, unknown>>;

/**
 * Many rows of a table as one parameter, for set-based statements: `insert … select … from` it, or `update … from` it.
 * Columns that a row does not name are null. Their order is kept.
 */
export function recordset(table: keyof Tables, rows: readonly object[]): RawBuilder<unknown> {
  return sql`jsonb_populate_recordset(null::${sql.table(table)}, ${recordsJson(rows)}::jsonb)`;
}

/** The JSON of such a parameter. Nested values (of JSON columns) keep the names of their fields. */
export function recordsJson(rows: readonly object[]): string {
  const renamed = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [toColumn(name), value])),
  );
  return JSON.stringify(renamed, plain);
}

const KNOWN = new Map<string, string>();

function toColumn(name: string): string {
  let column = KNOWN.get(name);
  if (column === undefined) {
    column = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    KNOWN.set(name, column);
  }
  return column;
}

/** Stroops as decimal text; half a character, which PostgreSQL's JSON refuses, as the mark of one that cannot be shown. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'string' ? value.toWellFormed() : value;
}
