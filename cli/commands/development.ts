import { Option, type Command } from 'commander';
import type { DevOptions } from '../dev/dev.ts';
import type { DatabaseRoleOptions } from '../roles/database.ts';
import type { LedgerRoleOptions } from '../roles/ledger.ts';
import { end, port, seconds } from './options.ts';

/** What runs an anchor, or parts of the world around it, on a developer's machine. */
export function addDevelopment(program: Command): void {
  program
    .command('dev')
    .description('run a whole anchor in this terminal: database, ledger, integration, server and workers')
    .requiredOption('-f, --file <file>', 'the Anchor manifest')
    .option('--data <folder>', 'where database, ledger, keys and certificates are kept', '.capstan')
    .option('--watch', 'reload when the manifest or the integration’s files change')
    .option('--watch-sources', 'restart when Capstan’s own sources change (make dev)')
    .option('--port <port>', 'HTTPS port; default 443 where permitted, else 8443', port)
    .option('--host <address>', 'the address to listen on, for example 0.0.0.0 for all', '127.0.0.1')
    .addOption(
      new Option('--log-format <format>', 'how to log').choices(['pretty', 'json']).default('pretty'),
    )
    .option('--quiet', 'only warnings and errors')
    .action(async (options: DevOptions) => {
      const { runDev } = await import('../dev/dev.ts');
      end(await runDev(options));
    });

  program
    .command('ledger')
    .description('run the local ledger: a Stellar network on this machine, for development and tests')
    .option('--port <port>', 'where it answers as a Horizon', port, 8000)
    .option('--host <address>', 'the address to listen on; default: this machine alone')
    .option('--close-interval <seconds>', 'from one ledger to the next', seconds, 1_000)
    .option('--data <folder>', 'keep the ledger here; without it, it is forgotten at the end')
    .action(async (options: LedgerRoleOptions) => {
      const { runLedger } = await import('../roles/ledger.ts');
      end(await runLedger(options));
    });

  program
    .command('database', { hidden: true })
    .description('run the embedded PostgreSQL (for capstan dev, and for spec.database.embedded)')
    .requiredOption('--data <folder>', 'where it is kept')
    .option('--password-file <file>', 'with it other machines may connect, as user capstan')
    .option('--host <addresses>', 'with a password: the addresses to listen on; * is all')
    .option('--port <port>', 'with a password: the port', port, 5432)
    .action(async (options: DatabaseRoleOptions) => {
      const { runDatabase } = await import('../roles/database.ts');
      end(await runDatabase(options));
    });
}
