import { types } from 'node:util';
import { destination as openDestination, pino, stdTimeFunctions } from 'pino';
import type { Logger, LevelWithSilent } from 'pino';
import { CapstanError } from './errors.ts';
import { redactLine } from './redact.ts';

/** A structured log. Fields first, then the sentence: `log.info({ transaction_id }, 'deposit paid')`. */
export type Log = Logger;

/** Whoever takes finished lines, each ending in a line feed and already redacted. */
export interface LogDestination {
  write(line: string): void;
}

/** What a person may ask for. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export interface LogOptions {
  /** The process: `server`, `watch-transactions` … */
  readonly name: string;
  readonly level: LevelWithSilent;
  /** Fields of every line, for instance `{ anchor: 'harbor', namespace: 'harbor' }`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Default: standard output, written at once so that the last lines before an exit are not lost. */
  readonly destination?: LogDestination;
}

/** Limits of one line: a runaway structure is cut, not written. */
const MAX_NESTING = 8;
const MAX_ENTRIES = 100;
const MAX_CAUSES = 5;

/** Also for an error of another realm (Node's own parser under a test runner), which `instanceof` misses. */
const isError = (thrown: unknown): thrown is Error => thrown instanceof Error || types.isNativeError(thrown);

interface LoggedError {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

function describe(error: Error, causesLeft: number): LoggedError {
  const code = error instanceof CapstanError ? error.code : (error as NodeJS.ErrnoException).code;
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(isError(error.cause) && causesLeft > 0 ? { cause: describe(error.cause, causesLeft - 1) } : {}),
  };
}

/** What a log shows of anything thrown: type, code, message, stack and its causes; no other property of the error. */
export function describeError(thrown: unknown): LoggedError {
  if (isError(thrown)) return describe(thrown, MAX_CAUSES);
  return { type: typeof thrown, message: String(thrown) };
}

/** Raw bytes may be a key: only their number is told. */
function withoutBytes(fields: Record<string, unknown>): Record<string, unknown> {
  // Nearly all lines carry none, and this runs for each.
  if (!Object.values(fields).some((value) => ArrayBuffer.isView(value))) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      ArrayBuffer.isView(value) ? `[${value.byteLength} bytes]` : value,
    ]),
  );
}

/**
 * Opens a process's log: JSON, one line an event, ISO time, level by name. Errors go under `err`.
 *
 * Every line passes `redactLine` on its way out, so neither a child logger's fields nor a library's message can carry
 * a seed, a token, a cookie or a SEP-9 field past it.
 */
export function createLog({ name, level, fields, destination }: LogOptions): Log {
  const target = destination ?? openDestination({ dest: 1, sync: true });
  return pino(
    {
      name,
      level,
      base: fields ?? {},
      timestamp: stdTimeFunctions.isoTime,
      depthLimit: MAX_NESTING,
      edgeLimit: MAX_ENTRIES,
      serializers: { err: describeError, error: describeError },
      formatters: { level: (label) => ({ level: label }), log: withoutBytes },
    },
    { write: (line: string) => target.write(redactLine(line)) },
  );
}
