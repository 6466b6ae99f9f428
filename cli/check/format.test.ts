import { describe, expect, test } from '@jest/globals';
import type { Summary } from './check.ts';
import { formatResult, formatResults } from './format.ts';

const summary: Summary = {
  homeDomain: 'anchor.example',
  results: [
    { id: 'sep1.toml.served', title: 'it is served', source: 'SEP-1', status: 'ok' },
    {
      id: 'sep10.token.json',
      title: 'a token is given',
      source: 'SEP-10',
      status: 'fail',
      detail: 'Expected 200. Came: 500. Repair it.',
    },
    {
      id: 'cors.answers',
      title: 'anybody may read it',
      source: 'SEP-24',
      status: 'skip',
      detail: 'There was none.',
    },
  ],
  counts: { ok: 1, fail: 1, skip: 1 },
  isKept: false,
};

describe('the report', () => {
  test('for a person has a heading for each group, the detail below its rule and the counts last', () => {
    expect(formatResults(summary, 'table').split('\n')).toEqual([
      '',
      'SEP-1',
      `  ok    ${'sep1.toml.served'.padEnd(40)}  it is served`,
      '',
      'SEP-10 token',
      `  FAIL  ${'sep10.token.json'.padEnd(40)}  a token is given`,
      '          Expected 200. Came: 500. Repair it. (SEP-10)',
      '',
      'all endpoints',
      `  skip  ${'cors.answers'.padEnd(40)}  anybody may read it`,
      '          There was none.',
      '',
      'anchor.example breaks 1 rule: 1 ok, 1 failed, 1 skipped.',
      '',
    ]);
  });

  test('for a program is the summary as JSON', () => {
    expect(JSON.parse(formatResults(summary, 'json'))).toEqual(summary);
  });

  test('wraps long details and lets no control character of the other side reach the terminal', () => {
    const [first] = summary.results;
    const text = formatResult({ ...first!, status: 'fail', detail: `\u001B[2J\u0007 ${'word '.repeat(60)}` });
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
    expect(
      Math.max(
        ...text
          .split('\n')
          .slice(1)
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(120);
  });
});
