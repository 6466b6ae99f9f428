import { InvalidArgumentError, Option, type Command } from 'commander';
import { systemClock } from '../../core/runtime/clock.ts';
import { UNMATCHED_REASONS } from '../../core/payments/receipts.ts';
import { STATUSES } from '../../core/transaction/status.ts';
import { end, outputOption } from '../commands/options.ts';
import type { LookOptions } from './look.ts';
import type { PlaceOptions } from './place.ts';
import type { CheckOptions, Filters, RecordsOptions } from './records.ts';
import type { ReportOptions } from './report.ts';

const toStdout = (text: string): void => void process.stdout.write(text);
const writeTo = (stream: 'stdout' | 'stderr', text: string): void => void process[stream].write(text);
const MOST_LINES = 10_000;
const MOST_ROWS = 500;

const count =
  (most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new InvalidArgumentError(`Give a whole number from 1 to ${most}.`);
    return value;
  };

const dnsName = (text: string): string => {
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text))
    throw new InvalidArgumentError('Give a name as Kubernetes has it: small letters, digits, "-" and ".".');
  return text;
};

/** The options that every command of kubectl takes. */
function placed(command: Command): Command {
  return command
    .addOption(
      new Option('-n, --namespace <name>', 'where the Anchor is; default: the context’s').argParser(dnsName),
    )
    .option('--context <name>', 'context of the kubeconfig; default: the current one')
    .option('--kubeconfig <file>', 'default: $KUBECONFIG, else ~/.kube/config');
}

const named = (program: Command, name: string): Command =>
  placed(program.command(name)).argument('<name>', 'the Anchor', dnsName);

/** `kubectl anchor …`: what people do about Anchors in a cluster. */
export function addAnchorCommands(program: Command): void {
  addLooks(program);
  addChanges(program);
  addRecords(program);
  addCheck(program);
}

type Flags<T> = Omit<T, 'write' | 'clock'>;

function addLooks(program: Command): void {
  named(program, 'status')
    .description('what is wrong and what to do, what runs, how much money is where, what happened last')
    .addOption(outputOption())
    .option('--no-exec', 'run nothing in a pod: then it is not known what is in flight')
    .action(async (name: string, options: LookOptions) => {
      const { runAnchorStatus } = await import('./look.ts');
      end(await runAnchorStatus(name, options));
    });

  named(program, 'report')
    .description('an archive for whoever helps you, without secrets and personal data')
    .option('--to <file>', 'a .tar.gz, or a folder; default: anchor-NAME-TIME.tar.gz')
    .addOption(new Option('--tail <lines>', 'of each log').argParser(count(MOST_LINES)).default(2_000))
    .option(
      '--integration-logs',
      'also logs of the integration: what personal data is in them cannot be known',
      false,
    )
    .option('--no-exec', 'run nothing in a pod')
    .action(async (name: string, options: Flags<ReportOptions>) => {
      const { runReport } = await import('./report.ts');
      end(await runReport(name, { ...options, clock: systemClock, write: toStdout }));
    });
}

function addChanges(program: Command): void {
  const tools = { clock: systemClock, write: toStdout };
  named(program, 'pause')
    .description('keep the operator from changing anything of it; money goes on')
    .addHelpText('after', '\nUndo: kubectl anchor resume NAME. To stop money: kubectl anchor suspend NAME.')
    .action(async (name: string, options: PlaceOptions) => {
      const { runPause } = await import('./change.ts');
      end(await runPause(name, { ...options, ...tools }));
    });

  named(program, 'resume')
    .description('undo "pause"; or with --payments undo "suspend"')
    .option('--payments', 'let money flow again (payments.suspended: false)', false)
    .addHelpText(
      'after',
      '\nThe two are apart on purpose: who wakes the operator must not set money free by accident.\n' +
        '  kubectl anchor resume NAME             after "pause": the operator acts again\n' +
        '  kubectl anchor resume NAME --payments  after "suspend": payments are sent again\n' +
        'What support staff or a limit stopped in the database stays stopped: capstan resume.',
    )
    .action(async (name: string, options: PlaceOptions & { payments: boolean }) => {
      const { runResume } = await import('./change.ts');
      end(await runResume(name, { ...options, ...tools }));
    });

  named(program, 'suspend')
    .description('stop money: no new payment is sent, those on their way settle (payments.suspended: true)')
    .addHelpText(
      'after',
      '\nWallets are still served. It waits until the watcher confirms. Undo: kubectl anchor resume NAME --payments.\n' +
        'Say the same in the manifest that you keep in git, or the next apply lets money flow again.',
    )
    .action(async (name: string, options: PlaceOptions) => {
      const { runSuspendPayments } = await import('./change.ts');
      end(await runSuspendPayments(name, { ...options, ...tools }));
    });

  named(program, 'restart')
    .description('new pods from the same spec, one after the other: nothing is cut off')
    .addOption(
      new Option('--part <part>', 'all: server and watcher')
        .choices(['all', 'server', 'watcher', 'integration'])
        .default('all'),
    )
    .action(
      async (
        name: string,
        options: PlaceOptions & { part: 'all' | 'server' | 'watcher' | 'integration' },
      ) => {
        const { runRestart } = await import('./change.ts');
        end(await runRestart(name, { ...options, ...tools }));
      },
    );
}

type Row = Flags<RecordsOptions> & Record<string, unknown>;

/** The options of a list without those that say where it is. */
function filtersOf(options: Row): Filters {
  const { namespace: _n, context: _c, kubeconfig: _k, output: _o, ...filters } = options;
  return filters as Filters;
}

function addRecords(program: Command): void {
  const table = (name: 'transactions' | 'receipts', what: string): Command =>
    named(program, name)
      .argument('[id]', what)
      .addOption(outputOption())
      .addHelpText(
        'after',
        `\nIt runs "capstan ${name}" in a pod of the server and nowhere else, and only reads.`,
      );
  const limit = (): Option =>
    new Option('--limit <count>', `how many at most, up to ${MOST_ROWS}`).argParser(count(MOST_ROWS));
  const run =
    (name: 'transactions' | 'receipts') => async (anchor: string, id: string | undefined, options: Row) => {
      const { runRecords } = await import('./records.ts');
      const filters = id === undefined ? filtersOf(options) : {};
      end(await runRecords(name, anchor, id, filters, { ...options, write: writeTo }));
    };

  table('transactions', 'tell everything about this one; else they are listed')
    .description('deposits and withdrawals in the anchor’s database, those that changed last first')
    .addOption(new Option('--status <status>', 'only those in this status').choices(STATUSES))
    .addOption(new Option('--kind <kind>', 'only these').choices(['deposit', 'withdrawal']))
    .option('--attention', 'only those that a person has to look at')
    .option('--account <account>', 'only those of this customer, payer or payee (G… or M…)')
    .addOption(limit())
    .action(run('transactions'));

  table('receipts', 'tell everything about this one; else they are listed')
    .description('payments to the distribution accounts; those that need a person, if no state is named')
    .addOption(
      new Option('--state <state>', 'only those in this state').choices([
        'unmatched',
        'matched',
        'refunding',
        'refunded',
        'ignored',
        'all',
      ]),
    )
    .addOption(new Option('--reason <reason>', 'why it is unmatched').choices(UNMATCHED_REASONS))
    .option('--asset <asset>', 'CODE:ISSUER or native, or a code that only one asset has')
    .option('--from <account>', 'only those of this sender (G… or M…)')
    .option('--hash <hash>', 'only those of this ledger transaction')
    .option('--since <date>', 'only those that came since')
    .option('--alerts', 'only those that somebody should look at')
    .addOption(limit())
    .action(run('receipts'));
}

function addCheck(program: Command): void {
  named(program, 'check')
    .description('does it keep SEP-1, SEP-10 and SEP-24? Asked from here, as a wallet would')
    .option('--inside', 'ask from a pod of the server, where this machine cannot reach the host', false)
    .option('--ca <file>', 'PEM of a further certificate authority to trust; not with --inside')
    .option('--asset <code>', 'the asset to try; default: the first that is enabled')
    .option('--no-fund', 'never create the account that logs in, also on a test network')
    .addOption(outputOption())
    .action(async (name: string, options: Flags<CheckOptions>) => {
      const { runAnchorCheck } = await import('./records.ts');
      end(await runAnchorCheck(name, { ...options, write: writeTo }));
    });
}
