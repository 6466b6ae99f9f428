import { enableCompileCache } from 'node:module';
import { Command } from 'commander';
import { addAnchorCommands } from './kubectl/commands.ts';
import { failWith } from './fail.ts';
import { VERSION } from './version.ts';

enableCompileCache();

// kubectl finds this by its name on the PATH (bin/kubectl-anchor) and runs it as "kubectl anchor …".
const program = new Command('kubectl anchor')
  .description('Look after Anchors in a cluster: Capstan’s plugin of kubectl.')
  .version(VERSION)
  .option('--debug', 'print stack traces of errors')
  .showHelpAfterError('(kubectl anchor COMMAND --help tells more)');

addAnchorCommands(program);

const [, , first, ...rest] = process.argv;
try {
  if (first === '__complete') {
    const { completions } = await import('./kubectl/complete.ts');
    process.stdout.write(await completions(program, rest));
    process.exit(0);
  }
  await program.parseAsync();
} catch (error) {
  failWith(error, { isDebug: program.opts<{ debug?: boolean }>().debug === true, command: 'kubectl anchor' });
}
