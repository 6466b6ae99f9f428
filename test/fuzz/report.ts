import type { FuzzResult } from './run.ts';

/** Routes by statuses, and the shares that the test asks for. */
export function printHistogram({ judge, log, transactions }: FuzzResult, seed: number): string {
  const { histogram, counts, slowestMs } = judge;
  const statuses = [...new Set([...histogram.values()].flatMap((each) => [...each.keys()]))].toSorted(
    (a, b) => a - b,
  );
  const width = Math.max(...[...histogram.keys()].map((name) => name.length));
  const line = (name: string, cells: readonly (string | number)[]): string =>
    `${name.padEnd(width)} ${cells.map((cell) => String(cell).padStart(6)).join('')}`;
  const rows = [...histogram].toSorted(([one], [other]) => one.localeCompare(other));
  const share = (part: number): string => `${((100 * part) / counts.requests).toFixed(1)} %`;
  return [
    '',
    line('route \\ status (0: connection cut)', statuses),
    ...rows.map(([name, each]) =>
      line(
        name,
        statuses.map((status) => each.get(status) ?? ''),
      ),
    ),
    `${counts.requests} requests, seed ${seed}: past authentication and schema ${share(counts.pastGate)}, succeeded ${share(counts.succeeded)}, while something was down ${share(counts.whileDown)}`,
    `${transactions} transactions begun, slowest answer ${Math.round(slowestMs)} ms, ${log.lines()} log lines`,
    '',
  ].join('\n');
}
