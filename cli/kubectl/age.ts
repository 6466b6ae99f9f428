const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** How long ago a moment was, as kubectl says it: `12s`, `5m`, `3h10m`, `2d4h`. Empty where there is none. */
export function ageText(moment: string, nowMs: number): string {
  const at = Date.parse(moment);
  if (Number.isNaN(at)) return '';
  const seconds = Math.max(0, Math.floor((nowMs - at) / 1_000));
  const index = UNITS.findIndex(([, size]) => seconds >= size);
  const first = UNITS[index];
  if (!first) return '0s';
  const [unit, size] = first;
  const rest = UNITS[index + 1];
  const more = rest ? Math.floor((seconds % size) / rest[1]) : 0;
  // Minutes after an hour and hours after a day matter at first, not in the second week.
  const isFine = rest !== undefined && more > 0 && Math.floor(seconds / size) < 10;
  return `${Math.floor(seconds / size)}${unit}${isFine ? `${more}${rest[0]}` : ''}`;
}
