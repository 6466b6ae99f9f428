import type { CheckResult, Summary } from './check.ts';

export type Format = 'table' | 'json';

const MARKS = { ok: 'ok  ', fail: 'FAIL', skip: 'skip' } as const;
const WIDTH = 110;

/** The whole report: for a person by groups, for a program as one JSON document. Ends with a newline. */
export function formatResults(summary: Summary, format: Format): string {
  if (format === 'json') return `${JSON.stringify(summary, undefined, 2)}\n`;
  const lines = summary.results.flatMap((result, index) => {
    const group = groupOf(result);
    const before = summary.results[index - 1];
    return [...(before && groupOf(before) === group ? [] : ['', group]), ...linesOf(result)];
  });
  return `${lines.join('\n')}\n\n${formatCounts(summary)}\n`;
}

/** One result as it comes, for a person. */
export function formatResult(result: CheckResult): string {
  return `${linesOf(result).join('\n')}\n`;
}

function formatCounts({ homeDomain, counts }: Summary): string {
  const { ok, fail, skip } = counts;
  const verdict =
    fail === 0 ? 'keeps the rules that were looked at' : `breaks ${fail} ${fail === 1 ? 'rule' : 'rules'}`;
  return `${homeDomain} ${verdict}: ${ok} ok, ${fail} failed, ${skip} skipped.`;
}

function linesOf({ id, title, source, status, detail }: CheckResult): string[] {
  const head = `  ${MARKS[status]}  ${id.padEnd(40)}  ${title}`;
  if (detail === undefined) return [head];
  return [
    head,
    ...wrap(status === 'fail' ? `${detail} (${source})` : detail).map((line) => `          ${line}`),
  ];
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of printable(text).split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** What a stranger's server sent must not steer the reader's terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

function groupOf({ id }: CheckResult): string {
  const [sep = '', topic = ''] = id.split('.');
  return /^sep\d/.test(sep) ? `SEP-${sep.slice(3)}${sep === 'sep1' ? '' : ` ${topic}`}` : 'all endpoints';
}
