import { Option, type Command } from 'commander';
import type { RoleOptions } from '../roles/process.ts';
import type { ServerOptions } from '../roles/server.ts';
import type { WatcherOptions } from '../roles/workers.ts';
import { end, port, seconds } from './options.ts';

const CONFIG = process.env['CAPSTAN_CONFIG'] ?? '/etc/capstan/anchor.yaml';
const SECRETS = process.env['CAPSTAN_SECRETS'] ?? '/etc/capstan/secrets';

/** The options by which a command finds its anchor. */
export function withManifest(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the Anchor manifest', CONFIG)
    .option('--secrets <folder>', 'where Secrets are mounted, <folder>/<secret>/<key>', SECRETS);
}

/** The options of every process of one anchor. */
export function withConfig(command: Command): Command {
  return withManifest(command).addOption(
    new Option('--log-level <level>', 'how much to log')
      .choices(['trace', 'debug', 'info', 'warn', 'error'])
      .default('info'),
  );
}

const LOOPS = {
  'poll-deposits': 'ask the integration which customers’ money came in, and what became of payouts',
  'check-trustlines': 'release deposits that waited for a trustline',
} as const;

interface LoopFlags extends RoleOptions {
  readonly once?: boolean;
  readonly interval?: number;
  readonly for?: number;
}

/** `capstan server` and the workers: what the containers of an anchor run. */
export function addRoles(program: Command): void {
  withConfig(program.command('server'))
    .description('serve SEP-1, SEP-10, SEP-24 and the customers’ pages; any number of replicas')
    .option('--http-port <port>', 'plain HTTP, for a proxy that ends TLS', port, 8080)
    .option('--https-port <port>', 'HTTPS with the mounted certificate', port, 8443)
    .option('--private-port <port>', 'metrics and status, never public', port, 9090)
    .option('--host <address>', 'the address to listen on; default: all')
    .option('--tls <folder>', 'folder with tls.crt and tls.key; without it HTTP only')
    .option('--branding <folder>', 'look and wording of the customer’s pages (docs/branding.md)')
    .option('--drain-delay <seconds>', 'how long to go on serving after "not ready"', seconds, 5_000)
    .option('--development', 'allow client domains and callbacks on this machine')
    .action(async (options: ServerOptions) => {
      const { runServer } = await import('../roles/server.ts');
      end(await runServer(options));
    });

  for (const [name, description] of Object.entries(LOOPS)) {
    withConfig(program.command(name))
      .description(description)
      .option('--loop', 'one pass after the other (the default)')
      .option('--once', 'one pass; the exit code tells whether it went through')
      .option('--interval <seconds>', 'from one pass to the next; default: the spec’s', seconds)
      .option('--for <seconds>', 'end the loop after so long', seconds)
      .action(async ({ once = false, interval, for: duration, ...role }: LoopFlags) => {
        const workers = await import('../roles/workers.ts');
        const options = {
          ...role,
          once,
          ...(interval !== undefined && { intervalMs: interval }),
          ...(duration !== undefined && { durationMs: duration }),
        };
        const run = name === 'poll-deposits' ? workers.runPollDeposits : workers.runCheckTrustlines;
        end(await run(options));
      });
  }

  withConfig(program.command('watch-transactions'))
    .description(
      'own the hot wallet: record receipts, submit and settle payments, call the integration and wallets',
    )
    .option('--private-port <port>', 'metrics and health, never public', port, 9091)
    .option('--host <address>', 'the address of the private port; default: all')
    .option('--development', 'allow callbacks on this machine')
    .action(async (options: WatcherOptions) => {
      const { runWatchTransactions } = await import('../roles/workers.ts');
      end(await runWatchTransactions(options));
    });

  withConfig(program.command('migrate'))
    .description('bring the database schema up to this release')
    .action(async (options: RoleOptions) => {
      const { runMigrate } = await import('../roles/workers.ts');
      end(await runMigrate(options));
    });
}
