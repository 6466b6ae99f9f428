import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';

const page = await readFile(new URL('peers.md', import.meta.url), 'utf8');

/** The rows of peers.md below their headings: item (empty: that of the row before), title, file. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\| (?:Failure|-+) /.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, item = '', title = '', file = '']) => ({ item, title, file }));

describe('each failure of earlier anchors has its tests', () => {
  test.each(rows)('$file: $title', async ({ title, file }) => {
    const source = await readFile(new URL(`../${file}`, import.meta.url), 'utf8');
    const quoted = [`'${title}'`, `\`${title}\``, `"${title}"`];
    expect(quoted.filter((text) => source.includes(text))).not.toEqual([]);
  });

  test('the ten of B1 that are about money are all there', () => {
    const numbers = rows.flatMap(({ item }) => /^\d+/.exec(item)?.[0] ?? []);
    expect(numbers).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
  });
});
