import { CamelCasePlugin, type PluginTransformResultArgs, type QueryResult, type UnknownRow } from 'kysely';
import pg from 'pg';

/**
 * Columns only: the keys inside JSON (SEP-9 names, what an integration wrote) stay as they were given. Kysely's own plugin
 * spells the names of each row anew; all rows of a result have the same ones.
 */
export class ColumnNames extends CamelCasePlugin {
  constructor() {
    super({ maintainNestedObjectKeys: true });
  }

  override async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    const [first] = result.rows;
    if (!first) return result;
    const names = Object.keys(first).map((name) => [name, this.camelCase(name)] as const);
    const rows = result.rows.map((row) => {
      const renamed: Record<string, unknown> = {};
      for (const [name, camelCase] of names) renamed[camelCase] = row[name];
      return renamed;
    });
    return { ...result, rows };
  }
}

/** `2026-11-29 10:36:54.235123+00`: what a server in UTC prints. */
const USUAL_LENGTH = '2026-11-29 10:36:54'.length;
const parseAny = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ) as (text: string) => Date;

/** A timestamptz to the millisecond, in a fraction of the time of pg's own parser, which takes over for all but the usual form. */
export function parseTimestamp(text: string): Date {
  const isUsual = /^[1-9]/.test(text) && text.endsWith('+00') && text[4] === '-' && text[16] === ':';
  if (!isUsual) return parseAny(text);
  const at = (from: number, to: number): number => Number(text.slice(from, to));
  const [fraction = ''] = text.slice(USUAL_LENGTH + 1, USUAL_LENGTH + 4).split('+');
  const milliseconds = text[USUAL_LENGTH] === '.' ? Number(fraction.padEnd(3, '0')) : 0;
  const time = Date.UTC(at(0, 4), at(5, 7) - 1, at(8, 10), at(11, 13), at(14, 16), at(17, 19), milliseconds);
  return new Date(time);
}
