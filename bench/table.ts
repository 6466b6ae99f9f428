export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What we want it to stay below. */
  readonly limit?: number;
}

/** The value below which `share` per cent of the sorted values lie (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((share / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

export function printTable(
  title: string,
  rows: readonly Row[],
  machine: Readonly<Record<string, unknown>>,
): void {
  console.log(`\n${title}  ${JSON.stringify(machine)}\n`);
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { name, value, unit, limit } of rows) {
    const wanted = limit === undefined ? '' : `  (wanted: at most ${limit})`;
    console.log(`  ${name.padEnd(width)}  ${value.toFixed(1).padStart(8)} ${unit}${wanted}`);
  }
  console.log('');
}
