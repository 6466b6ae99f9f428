import { enableCompileCache } from 'node:module';
import { Command } from 'commander';
import { addAccounts } from './commands/accounts.ts';
import { addDevelopment } from './commands/development.ts';
import { addOperator } from './commands/operator.ts';
import { addPreview } from './commands/preview.ts';
import { addRoles } from './commands/roles.ts';
import { addSupport } from './commands/support.ts';
import { addTools } from './commands/tools.ts';
import { failWith } from './fail.ts';
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
addPreview(program);
addRoles(program);
addOperator(program);
addAccounts(program);
addSupport(program);
addTools(program);

try {
  await program.parseAsync();
} catch (error) {
  failWith(error, { isDebug: program.opts<{ debug?: boolean }>().debug === true, command: 'capstan' });
}
