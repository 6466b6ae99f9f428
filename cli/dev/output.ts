import { createPrettyDestination } from '../../core/runtime/log-pretty.ts';

export interface Output {
  /** A line that a child wrote: JSON of ours, or anything. */
  readonly line: (name: string, text: string) => void;
  /** Something that `capstan dev` itself has to say to the person in front of it. */
  readonly notice: (text: string) => void;
}

const WARN = 40;
const INFO = 30;
/** Our own processes write a level's name, the integration's pino its number. */
const QUIET_LEVELS: ReadonlySet<unknown> = new Set(['trace', 'debug', 'info']);

/** Prefixed, coloured lines for a person, or the JSON as it is for a program. */
export function createOutput(options: { format: string; quiet: boolean }): Output {
  const write = writer(options.format);
  return {
    line: (name, text) => {
      const entry = parse(text) ?? { level: INFO, time: new Date().toISOString(), name, msg: text };
      const { level } = entry;
      if (options.quiet && (QUIET_LEVELS.has(level) || (typeof level === 'number' && level < WARN))) return;
      write(JSON.stringify({ ...entry, name }));
    },
    notice: (text) => void process.stdout.write(`${text}\n`),
  };
}

function writer(format: string): (line: string) => void {
  if (format === 'json') return (line) => void process.stdout.write(`${line}\n`);
  const destination = createPrettyDestination({ colour: process.stdout.isTTY && !process.env['NO_COLOR'] });
  return (line) => destination.write(`${line}\n`);
}

function parse(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
