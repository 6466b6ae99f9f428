import { CapstanError, messageOf } from '../core/runtime/errors.ts';

/** One line for a person; programs read the exit code (sysexits(3): 75 may work later, 78 wants another configuration). */
export function failWith(
  error: unknown,
  { isDebug, command }: { readonly isDebug: boolean; readonly command: string },
): never {
  const isExpected = error instanceof CapstanError;
  const label = isExpected ? `error (${error.code})` : 'error';
  process.stderr.write(`${label}: ${messageOf(error)}\n`);
  if (isDebug && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  } else if (!isExpected && !isSystemError(error)) {
    process.stderr.write(`This was not foreseen; run "${command} --debug …" and report what it prints.\n`);
  }
  process.exit(exitCodeOf(error));
}

/** What the system refuses needs no stack either: a port that is taken, a folder that may not be written. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

function exitCodeOf(error: unknown): number {
  if (!(error instanceof CapstanError)) return 1;
  if (/unreachable|unavailable|budget|schema_too_old/.test(error.code)) return 75;
  return /manifest|secret|seed|config|session_keys|option|branding/.test(error.code) ? 78 : 1;
}
