import { Option, type Command } from 'commander';
import type { ReconcileAdoptOptions, ReconcileShowOptions } from '../support/reconcile.ts';
import { end } from './options.ts';

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text];
const accountOption = (what: string): Option => new Option('--account <account>', what);

/** `capstan reconcile`: what was sent from our accounts past the journal, and a person's word on it. */
export function addReconcile(
  program: Command,
  support: (command: Command) => Command,
  limitOption: () => Option,
): void {
  const reconcile = program
    .command('reconcile')
    .description('look at what was sent from a distribution account past this anchor’s journal, and decide');

  support(reconcile.command('show'))
    .description('list frozen accounts, foreign transactions, and the transfers that they seem to pay')
    .addOption(accountOption('only this distribution account'))
    .option('--all', 'also what was adopted')
    .addOption(limitOption())
    .action(async (options: ReconcileShowOptions) => {
      const { runReconcileShow } = await import('../support/reconcile.ts');
      end(await runReconcileShow(options));
    });

  support(reconcile.command('adopt'))
    .description('take foreign transactions as known, settle what they have paid, and let payouts flow again')
    .addOption(accountOption('which distribution account; default: the only one'))
    .addOption(new Option('--reason <text>', 'why; the audit keeps it').makeOptionMandatory())
    .option('--paid-as-matched', 'every transfer that looks paid is: settle it, never pay it again')
    .addOption(
      new Option('--paid <transfer=hash>', 'this transfer is paid by that transaction; may be repeated')
        .argParser(collect)
        .default([]),
    )
    .addOption(
      new Option(
        '--not-paid <transfer>',
        'this transfer is not paid yet although it looks so; may be repeated',
      )
        .argParser(collect)
        .default([]),
    )
    .option('--unread', 'also where nothing that was read says what took a sequence number; look it up first')
    .option('--as <name>', 'who you are, for the audit; default: $USER')
    .option('-y, --yes', 'do not ask whether to go on')
    .addHelpText(
      'after',
      '\nFirst find out who sent them (docs/runbooks/AnchorAccountFrozen.md): a stolen seed must be replaced, not adopted.' +
        '\nExample: after a restored backup\n  capstan reconcile adopt --paid-as-matched --reason "backup of 22 May restored"',
    )
    .action(async (options: ReconcileAdoptOptions) => {
      const { runReconcileAdopt } = await import('../support/reconcile.ts');
      end(await runReconcileAdopt(options));
    });
}
