import { InvalidArgumentError, Option, type Command } from 'commander';
import type { RefundMemo } from '../../core/payments/receipt-refund.ts';
import { UNMATCHED_REASONS } from '../../core/payments/receipts.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import { parseMemo } from '../../core/transaction/memo.ts';
import type { DecideOptions, RefundOptions, RefundReceiptOptions } from '../support/decide.ts';
import type { SupportOptions } from '../support/open.ts';
import type { ReceiptOptions } from '../support/receipts.ts';
import { end } from './options.ts';

type Support = (command: Command) => Command;

function argument<T>(read: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      throw new InvalidArgumentError(messageOf(error));
    }
  };
}

const receiptId = argument((text) => {
  if (!/^\d{1,19}$/.test(text)) throw new Error('Give the number, as "capstan receipts list" prints it.');
  return BigInt.asIntN(64, BigInt(text));
});
const amount = argument((text) => parseAmount(text));
const memo = argument((text): RefundMemo => {
  const [type = '', ...rest] = text.split(':');
  return parseMemo(type, rest.join(':'));
});
const since = argument((text) => {
  const date = new Date(text);
  if (Number.isNaN(date.getTime()))
    throw new Error('Give a date, for example 2026-01-31 or 2026-01-31T12:00Z.');
  return date;
});
const words = argument((text) => {
  const plain = text.trim();
  if (plain === '' || plain.length > 500) throw new Error('Say why, in 1 to 500 characters.');
  return plain;
});

const amountOption = (what: string): Option => new Option('--amount <amount>', what).argParser(amount);
const feeOption = (): Option =>
  new Option('--fee <amount>', 'kept of it by the anchor; default: nothing').argParser(amount);

/** Options of whatever cannot be taken back. */
function deciding(command: Command): Command {
  return command
    .addOption(
      new Option('--reason <text>', 'why; the audit keeps it').argParser(words).makeOptionMandatory(),
    )
    .option('--as <name>', 'who you are, for the audit; default: $USER')
    .option('-y, --yes', 'do not ask whether to go on');
}

/** `capstan receipts` and `capstan refund`: what a person decides about money that came in. */
export function addDecisions(program: Command, support: Support, limitOption: () => Option): void {
  const receipts = program
    .command('receipts')
    .description(
      'look at payments that came in on the ledger, and decide about those that belong to nothing',
    );
  addLooks(receipts, support, limitOption);

  deciding(support(receipts.command('match')))
    .description('make a payment that of a withdrawal, also of one that has expired')
    .argument('<receipt>', 'the payment', receiptId)
    .argument('<withdrawal>', 'the transaction’s id')
    .addHelpText('after', '\nIt is then processed like any other, by the amount that came in.')
    .action(async (id: bigint, withdrawal: string, options: DecideOptions) => {
      const { runMatchReceipt } = await import('../support/decide.ts');
      end(await runMatchReceipt(id, withdrawal, options));
    });

  deciding(support(receipts.command('refund')))
    .description('send a payment that belongs to nothing back to who made it')
    .argument('<receipt>', 'the payment', receiptId)
    .addOption(amountOption('how much of it; default: all'))
    .addOption(feeOption())
    .addOption(
      new Option(
        '--memo <type:value>',
        'text:…, id:… or hash:… (base64); default: what the wallet asked for, else the payment’s own',
      ).argParser(memo),
    )
    .option('--no-memo', 'without a memo')
    .addHelpText('after', '\nOnce for a payment: the rest of one that went back in part stays.')
    .action(async (id: bigint, options: RefundReceiptOptions) => {
      const { runRefundReceipt } = await import('../support/decide.ts');
      end(await runRefundReceipt(id, options));
    });

  deciding(support(receipts.command('ignore')))
    .description('close a payment that needs nothing')
    .argument('<receipt>', 'the payment', receiptId)
    .action(async (id: bigint, options: DecideOptions) => {
      const { runIgnoreReceipt } = await import('../support/decide.ts');
      end(await runIgnoreReceipt(id, options));
    });

  addRefund(program, support);
}

function addLooks(receipts: Command, support: Support, limitOption: () => Option): void {
  support(receipts.command('list'))
    .description('list payments to the distribution accounts, the newest first')
    .addOption(
      new Option(
        '--state <state>',
        'without: all that need a person, unmatched ones and those that cannot be sent back',
      ).choices(['unmatched', 'matched', 'refunding', 'refunded', 'ignored', 'all']),
    )
    .addOption(new Option('--reason <reason>', 'why it is unmatched').choices(UNMATCHED_REASONS))
    .option('--asset <asset>', 'CODE:ISSUER or native, or a code that only one asset has')
    .option('--from <account>', 'only those of this sender (G… or M…)')
    .option('--hash <hash>', 'only those of this ledger transaction')
    .addOption(new Option('--since <date>', 'only those that came since').argParser(since))
    .option('--alerts', 'only those that somebody should look at')
    .addOption(limitOption())
    .addHelpText(
      'after',
      '\nExample: payments to withdrawals that had expired\n  capstan receipts list --reason late',
    )
    .action(async (options: ReceiptOptions) => {
      const { runListReceipts } = await import('../support/receipts.ts');
      end(await runListReceipts(options));
    });

  support(receipts.command('show'))
    .description('tell everything about one payment: what was decided, by whom and why')
    .argument('<receipt>', 'the payment', receiptId)
    .action(async (id: bigint, options: SupportOptions) => {
      const { runShowReceipt } = await import('../support/receipts.ts');
      end(await runShowReceipt(id, options));
    });
}

function addRefund(program: Command, support: Support): void {
  deciding(support(program.command('refund <transaction>')))
    .description('give a transaction’s money back: a withdrawal’s on the ledger, a deposit’s at the bank')
    .addOption(amountOption('how much of what is left; default: all'))
    .addOption(feeOption())
    .option('--not-paid-out', 'you have made sure at the bank that nothing was paid out, and nothing will be')
    .option('--reference <reference>', 'of a deposit that the bank has sent back by hand: write that down')
    .addHelpText(
      'after',
      '\nIt is queued, not sent: the watcher does it, under all its checks. A payment that belongs to no transaction: capstan receipts refund.',
    )
    .action(async (id: string, options: RefundOptions) => {
      const { runRefund } = await import('../support/decide.ts');
      end(await runRefund(id, options));
    });
}
