import { enableCompileCache } from 'node:module';
import { Command } from 'commander';
import { CapstanError, messageOf } from '../core/runtime/errors.ts';
import { addAccounts } from './commands/accounts.ts';
import { addDevelopment } from './commands/development.ts';
import { addOperator } from './commands/operator.ts';
import { addRoles } from './commands/roles.ts';
import { addSupport } from './commands/support.ts';
import { addTools } from './commands/tools.ts';
import { VERSION } from './version.ts';

enableCompileCache();

const program = new Command('capstan')
  .description(
    'Runs Stellar anchors: SEP-1, SEP-10 and SEP-24, workers, and a hot wallet that pays exactly once.',
  )
  .version(VERSION)
  .option('--debug', 'print stack traces of errors')
  .showHelpAfterError('(capstan COMMAND --help tells more)');

addDevelopment(program);
addRoles(program);
addOperator(program);
addAccounts(program);
addSupport(program);
addTools(program);

/** One line for a person; programs read the exit code (sysexits(3): 75 may work later, 78 wants another configuration). */
function fail(error: unknown): never {
  const isExpected = error instanceof CapstanError;
  const label = isExpected ? `error (${error.code})` : 'error';
  process.stderr.write(`${label}: ${messageOf(error)}\n`);
  if (program.opts<{ debug?: boolean }>().debug === true && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  } else if (!isExpected && !isSystemError(error)) {
    process.stderr.write('This was not foreseen; run "capstan --debug …" and report what it prints.\n');
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
  return /manifest|secret|seed|config|session_keys|option/.test(error.code) ? 78 : 1;
}

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
