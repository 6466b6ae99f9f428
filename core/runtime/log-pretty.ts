import pretty from 'pino-pretty';
import type { LogDestination } from './log.ts';

/** Lines for a human at a terminal (`capstan dev`); apart from log.ts so that no production process loads it. */
export function createPrettyDestination(options: { readonly colour: boolean }): LogDestination {
  const stream = pretty({
    colorize: options.colour,
    sync: true,
    singleLine: true,
    translateTime: 'HH:MM:ss.l',
    ignore: 'pid,hostname',
  });
  return { write: (line) => void stream.write(line) };
}
