/** Names of effects that a person can read and that are the same in each run. */

/**
 * What a statement writes: `transfer+` (inserted), `transfer~` (updated), `transfer-` (deleted); empty for one that only
 * reads or locks.
 */
export function writesOf(sql: string): readonly string[] {
  const text = sql.toLowerCase();
  const found = (pattern: RegExp, sign: string): readonly string[] =>
    [...text.matchAll(pattern)].map(([, table]) => `${table}${sign}`);
  return [
    ...found(/\binsert\s+into\s+"?(\w+)"?/g, '+'),
    // Not the "for update" of a lock, nor the "do update" of an insert.
    ...found(/(?<!for\s)(?<!do\s)\bupdate\s+"?(\w+)"?(?:\s+as\s+"?\w+"?)?\s+set\b/g, '~'),
    ...found(/\bdelete\s+from\s+"?(\w+)"?/g, '-'),
  ];
}

/** All that a database transaction writes, each once. */
export function nameOfCommit(writes: readonly string[]): string {
  return `[${[...new Set(writes)].toSorted().join(' ')}]`;
}

/** Method and path; ids and the like are left out. */
export function nameOfRequest({ method, path }: { readonly method: string; readonly path: string }): string {
  const [bare = ''] = path.split('?');
  return `${method} ${bare.replaceAll(/\/[0-9a-f-]{20,}/g, '/…')}`;
}
