import { InvalidArgumentError, Option } from 'commander';

/** Seconds on the command line ("10", "1s"), milliseconds inside. */
export function seconds(text: string): number {
  const value = Number(text.replace(/s$/, ''));
  if (!Number.isFinite(value) || value <= 0 || value > 86_400) {
    throw new InvalidArgumentError('Give seconds, for example 10 or 1s.');
  }
  return value * 1000;
}

export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new InvalidArgumentError('Give a port number, 0 to 65535 (0 takes a free one).');
  }
  return value;
}

export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table');

/** Ends with the command's exit code at once: a library's timer must not keep a finished process alive. */
export function end(code: number): never {
  process.exit(code);
}
