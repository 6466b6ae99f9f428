import { redactLine, redactText } from '../../core/runtime/redact.ts';

export type OutputFormat = 'table' | 'json';

/** One line of a table: heading → text, the headings in the order of the first line. */
export type Line = Readonly<Record<string, string>>;

/** Until the minute is what a person compares; UTC, as everything here. */
export function timeText(date: Date | null): string {
  return date === null
    ? ''
    : date
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z');
}

/** A table for people: columns as wide as their widest cell. Control characters of strangers' texts do not reach the terminal. */
export function tableText(lines: readonly Line[], empty: string): string {
  const [first] = lines;
  if (!first) return `${empty}\n`;
  const headings = Object.keys(first);
  const cells = lines.map((line) => headings.map((heading) => plain(line[heading] ?? '')));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const row = (texts: readonly string[]): string =>
    texts
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${[row(headings), ...cells.map(row)].join('\n')}\n`;
}

/** Text of strangers (memos, reasons) in one line and without control characters. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}

/** Whole numbers beyond 2^53 as text; everything else as JSON has it. */
function jsonText(value: unknown): string {
  const compact = JSON.stringify(value, (_name, item: unknown) =>
    typeof item === 'bigint' ? String(item) : item,
  );
  return `${JSON.stringify(JSON.parse(redactLine(compact)), null, 2)}\n`;
}

/** Prints a command's outcome; neither a secret nor a personal datum passes, wherever it was written. */
export function print(
  format: OutputFormat,
  outcome: { readonly json: unknown; readonly text: string },
): void {
  process.stdout.write(format === 'json' ? jsonText(outcome.json) : redactText(outcome.text));
}
