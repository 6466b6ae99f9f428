/** `1 payment to be made`, `2 payments to be made`; nothing of what there is none of. */
export function counted(count: number, noun: string, rest = ''): string | undefined {
  if (count === 0) return undefined;
  return [count, count === 1 ? noun : `${noun}s`, rest].filter(Boolean).join(' ');
}
