import { enableCompileCache } from 'node:module';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CapstanError, messageOf } from '../core/runtime/errors.ts';
import type { RoleOptions } from './roles/process.ts';
import { VERSION } from './version.ts';

enableCompileCache();

const program = new Command('capstan')
  .description(
    'Runs Stellar anchors: SEP-1, SEP-10 and SEP-24, workers, and a hot wallet that pays exactly once.',
  )
  .version(VERSION)
  .option('--debug', 'print stack traces of errors')
  .showHelpAfterError('(capstan COMMAND --help tells more)');

/** Ends with the command's exit code; the roles close what they opened themselves. */
async function end(code: number): Promise<never> {
  // Not exitCode: a library's timer must not keep a finished process alive.
  process.exit(code);
}

function seconds(text: string): number {
  const value = Number(text.replace(/s$/, ''));
  if (!Number.isFinite(value) || value <= 0 || value > 86_400) {
    throw new InvalidArgumentError('Give seconds, for example 10 or 1s.');
  }
  return value * 1000;
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new InvalidArgumentError('Give a port number, 0 to 65535 (0 takes a free one).');
  }
  return value;
}

function role(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option(
      '-c, --config <file>',
      'the Anchor manifest',
      process.env['CAPSTAN_CONFIG'] ?? '/etc/capstan/anchor.yaml',
    )
    .option(
      '--secrets <folder>',
      'where Secrets are mounted, <folder>/<secret>/<key>',
      process.env['CAPSTAN_SECRETS'] ?? '/etc/capstan/secrets',
    )
    .addOption(
      new Option('--log-level <level>', 'how much to log')
        .choices(['trace', 'debug', 'info', 'warn', 'error'])
        .default('info'),
    );
}

role('server', 'serve SEP-1, SEP-10, SEP-24 and the customers’ pages; any number of replicas')
  .option('--http-port <port>', 'plain HTTP, for a proxy that ends TLS', port, 8080)
  .option('--https-port <port>', 'HTTPS with the mounted certificate', port, 8443)
  .option('--private-port <port>', 'metrics and status, never public', port, 9090)
  .option('--tls <folder>', 'folder with tls.crt and tls.key; without it HTTP only')
  .option('--drain-delay <seconds>', 'how long to go on serving after "not ready"', seconds, 5_000)
  .option('--development', 'local hosts are no strangers: allow clients and callbacks on this machine')
  .action(
    async (
      options: RoleOptions & {
        httpPort: number;
        httpsPort: number;
        privatePort: number;
        tls?: string;
        drainDelay: number;
        development?: boolean;
      },
    ) => {
      const { runServer } = await import('./roles/server.ts');
      await end(await runServer(options));
    },
  );

const LOOPS = {
  'poll-deposits': 'ask the integration which customers’ money came in, and what became of payouts',
  'check-trustlines': 'release deposits that waited for a trustline',
} as const;
for (const [name, description] of Object.entries(LOOPS)) {
  role(name, description)
    .option('--loop', 'one pass after the other (the default)')
    .option('--once', 'one pass; the exit code tells whether it went through')
    .option('--interval <seconds>', 'from one pass to the next; default: the spec’s', seconds)
    .option('--for <seconds>', 'end the loop after so long', seconds)
    .action(async (options: RoleOptions & { once?: boolean; interval?: number; for?: number }) => {
      const workers = await import('./roles/workers.ts');
      const loop = {
        ...options,
        once: options.once ?? false,
        ...(options.interval !== undefined && { intervalMs: options.interval }),
        ...(options.for !== undefined && { durationMs: options.for }),
      };
      await end(
        await (name === 'poll-deposits' ? workers.runPollDeposits(loop) : workers.runCheckTrustlines(loop)),
      );
    });
}

role(
  'watch-transactions',
  'own the hot wallet: record receipts, submit and settle payments, call the integration',
).action(async (options: RoleOptions) => {
  const { runWatchTransactions } = await import('./roles/workers.ts');
  await end(await runWatchTransactions(options));
});

role('migrate', 'bring the database schema up to this release').action(async (options: RoleOptions) => {
  const { runMigrate } = await import('./roles/workers.ts');
  await end(await runMigrate(options));
});

program
  .command('ledger')
  .description('run the local ledger: a Stellar network on this machine, for development and tests')
  .option('--port <port>', 'where it answers as a Horizon', port, 8000)
  .option('--close-interval <seconds>', 'from one ledger to the next', seconds, 1_000)
  .option('--data <folder>', 'keep the ledger here; without it, it is forgotten at the end')
  .action(async (options: { port: number; closeInterval: number; data?: string }) => {
    const { runLedger } = await import('./roles/ledger.ts');
    await end(await runLedger(options));
  });

program
  .command('database', { hidden: true })
  .description('run the embedded PostgreSQL (for capstan dev)')
  .requiredOption('--data <folder>', 'where it is kept')
  .action(async (options: { data: string }) => {
    const { runDatabase } = await import('./roles/database.ts');
    await end(await runDatabase(options));
  });

program
  .command('dev')
  .description('run a whole anchor in this terminal: database, ledger, integration, server and workers')
  .requiredOption('-f, --file <file>', 'the Anchor manifest')
  .option('--data <folder>', 'where database, ledger, keys and certificates are kept', '.capstan')
  .option('--watch', 'reload when the manifest or the integration’s files change')
  .option('--watch-sources', 'restart when Capstan’s own sources change (make dev)')
  .option('--port <port>', 'HTTPS port; default 443 where permitted, else 8443', port)
  .option('--log-format <format>', 'pretty or json', 'pretty')
  .option('--quiet', 'only warnings and errors')
  .action(async (options: import('./dev/dev.ts').DevOptions) => {
    const { runDev } = await import('./dev/dev.ts');
    await end(await runDev(options));
  });

/** One line for a person; programs read the exit code. */
function fail(error: unknown): never {
  const isExpected = error instanceof CapstanError;
  const label = isExpected ? `error (${error.code})` : 'error';
  process.stderr.write(`${label}: ${messageOf(error)}\n`);
  if (program.opts<{ debug?: boolean }>().debug && error instanceof Error)
    process.stderr.write(`${error.stack}\n`);
  else if (!isExpected)
    process.stderr.write('This was not foreseen; run it again with --debug and report it.\n');
  process.exit(exitCodeOf(error));
}

/** sysexits(3): 78 for what only a change of configuration repairs, 75 for what may work later. */
function exitCodeOf(error: unknown): number {
  if (!(error instanceof CapstanError)) return 1;
  if (/unreachable|unavailable|budget/.test(error.code)) return 75;
  return /manifest|secret|seed|config|session_keys/.test(error.code) ? 78 : 1;
}

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
