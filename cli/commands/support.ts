import { InvalidArgumentError, Option, type Command } from 'commander';
import { STATUSES } from '../../core/transaction/status.ts';
import type { ScopeOptions, SuspendOptions } from '../support/money.ts';
import type { ByOptions, SupportOptions } from '../support/open.ts';
import type { TaskOptions } from '../support/tasks.ts';
import type { StatusOptions } from '../support/status.ts';
import type { ListOptions } from '../support/transactions.ts';
import { addDecisions } from './decisions.ts';
import { end, outputOption, port } from './options.ts';
import { addReconcile } from './reconcile.ts';
import { withManifest } from './roles.ts';

const MAX_LIMIT = 500;

function limit(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > MAX_LIMIT) {
    throw new InvalidArgumentError(`Give a whole number from 1 to ${MAX_LIMIT}.`);
  }
  return value;
}

const limitOption = (): Option =>
  new Option('-n, --limit <count>', `how many at most, up to ${MAX_LIMIT}`).argParser(limit).default(50);
const asOption = (): Option => new Option('--as <name>', 'who you are, for the audit; default: $USER');
const assetOption = (): Option =>
  new Option(
    '--asset <asset>',
    'CODE:ISSUER or native, or a code that only one asset has; default: the whole anchor',
  );

const support = (command: Command): Command => withManifest(command).addOption(outputOption());

/** What support staff need at 3 a.m.: look at everything, and set right what only a person may decide. */
export function addSupport(program: Command): void {
  addTransactions(program);
  addDecisions(program, support, limitOption);
  addTasks(program);
  addMoney(program);
  addReconcile(program, support, limitOption);
  program
    .command('status')
    .description('what the server on this machine, or in this pod, says of its anchor')
    .option('--port <port>', 'its private port', port, 9090)
    .addOption(outputOption())
    .action(async (options: StatusOptions) => {
      const { runStatus } = await import('../support/status.ts');
      end(await runStatus(options));
    });
}

function addTransactions(program: Command): void {
  const transactions = program
    .command('transactions')
    .description('look at deposits and withdrawals in the anchor’s database');

  support(transactions.command('list'))
    .description('list transactions, those that changed last first')
    .addOption(new Option('--status <status>', 'only those in this status').choices(STATUSES))
    .addOption(new Option('--kind <kind>', 'only these').choices(['deposit', 'withdrawal']))
    .option('--attention', 'only those that a person has to look at')
    .option('--account <account>', 'only those of this customer, payer or payee (G… or M…)')
    .addOption(limitOption())
    .addHelpText('after', '\nExample: what waits for me?\n  capstan transactions list --attention')
    .action(async (options: ListOptions) => {
      const { runListTransactions } = await import('../support/transactions.ts');
      end(await runListTransactions(options));
    });

  support(transactions.command('show <id>'))
    .description('tell everything about one transaction: amounts, and what happened when')
    .action(async (id: string, options: SupportOptions) => {
      const { runShowTransaction } = await import('../support/transactions.ts');
      end(await runShowTransaction(id, options));
    });
}

function addTasks(program: Command): void {
  const tasks = program
    .command('tasks')
    .description('look at what the watcher has still to tell the integration and the wallets');

  support(tasks.command('list'))
    .description('list open tasks, the next due first; or those that were given up')
    .option('--dead', 'only those that were given up and wait for "capstan retry"')
    .addOption(
      new Option('--kind <kind>', 'only these').choices([
        'withdrawals/process',
        'deposits/completed',
        'deposits/refund',
        'trustlines/authorize',
        'callback',
      ]),
    )
    .addOption(limitOption())
    .action(async (options: TaskOptions) => {
      const { runListTasks } = await import('../support/tasks.ts');
      end(await runListTasks(options));
    });

  support(program.command('retry <task-transaction-or-receipt>'))
    .description(
      'try a given-up task again; or all those of a transaction, and its transfers that wait; or a receipt’s way back',
    )
    .addOption(asOption())
    .addHelpText(
      'after',
      '\nIt only makes work due again: the watcher does it, under all its checks. Nothing that was done is done twice.',
    )
    .action(async (id: string, options: ByOptions) => {
      const { runRetry } = await import('../support/tasks.ts');
      end(await runRetry(id, options));
    });
}

function addMoney(program: Command): void {
  support(program.command('suspend'))
    .description('stop money: no new payment of an asset, or of the whole anchor, is sent')
    .addOption(assetOption())
    .requiredOption('--reason <text>', 'why; others will read it')
    .addOption(asOption())
    .action(async (options: SuspendOptions) => {
      const { runSuspend } = await import('../support/money.ts');
      end(await runSuspend(options));
    });

  support(program.command('resume'))
    .description('let money flow again')
    .addOption(assetOption())
    .addOption(asOption())
    .action(async (options: ScopeOptions) => {
      const { runResume } = await import('../support/money.ts');
      end(await runResume(options));
    });

  support(program.command('suspensions'))
    .description('list what is stopped, by whom and why')
    .action(async (options: SupportOptions) => {
      const { runSuspensions } = await import('../support/money.ts');
      end(await runSuspensions(options));
    });
}
