import { accountsWithForeign, listForeign, listFrozen } from '../../core/database/repositories/adoption.ts';
import type { ForeignOperation } from '../../core/database/entities/journal.ts';
import type { Database } from '../../core/database/database.ts';
import {
  suspectTransfers,
  type ForeignTransaction,
  type Suspicion,
} from '../../core/database/repositories/journal.ts';
import { adopt } from '../../core/payments/adopt.ts';
import { distributionAccounts } from '../../core/payments/context.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { formatAmount } from '../../core/transaction/amount.ts';
import { confirm, type ConfirmOptions } from './confirm.ts';
import { actorOf, onAnchor, type ByOptions, type SupportOptions } from './open.ts';
import { print, tableText, timeText } from './output.ts';

export interface ReconcileShowOptions extends SupportOptions {
  readonly account?: string;
  /** Also what was adopted. */
  readonly all?: boolean;
  readonly limit: number;
}

export interface ReconcileAdoptOptions extends ByOptions, ConfirmOptions {
  readonly account?: string;
  readonly reason: string;
  readonly paidAsMatched?: boolean;
  /** `TRANSFER=HASH`. */
  readonly paid: readonly string[];
  readonly notPaid: readonly string[];
  readonly unread?: boolean;
}

export class UnknownAccount extends CapstanError {
  constructor(account: string | undefined, known: readonly string[]) {
    super(
      'unknown_account',
      account === undefined
        ? `Say which with --account: ${known.join(', ')}.`
        : `${account.slice(0, 60)} is no distribution account of this anchor. It has: ${known.join(', ')}.`,
    );
  }
}

export class BadPaid extends CapstanError {
  constructor(text: string) {
    super(
      'invalid_option',
      `--paid ${text.slice(0, 100)}: write TRANSFER=HASH, for example payout:…=3a7f…, as "capstan reconcile show" prints both.`,
    );
  }
}

interface Picture {
  readonly account: string;
  readonly frozen: { readonly since: Date; readonly reason: string } | null;
  readonly foreign: readonly ForeignTransaction[];
  readonly suspects: readonly Suspicion[];
}

async function pictureOf(
  database: Database,
  account: string,
  { limit, all }: ReconcileShowOptions,
): Promise<Picture> {
  const frozen = (await listFrozen(database)).find((one) => one.account === account);
  return {
    account,
    frozen: frozen ? { since: frozen.since, reason: frozen.reason } : null,
    foreign: await listForeign(database, account, { limit, isAdopted: all === true }),
    suspects: await suspectTransfers(database, account),
  };
}

/** `capstan reconcile show`. */
export async function runReconcileShow(options: ReconcileShowOptions): Promise<number> {
  const pictures = await onAnchor(options, async ({ anchor, database }) => {
    const ours = distributionAccounts(anchor);
    if (options.account !== undefined && !ours.includes(options.account))
      throw new UnknownAccount(options.account, ours);
    const known = new Set([...ours, ...(await accountsWithForeign(database))]);
    const wanted = options.account === undefined ? [...known] : [options.account];
    return Promise.all(wanted.map((account) => pictureOf(database, account, options)));
  });
  print(options.output, {
    json: pictures.map((picture) => ({
      ...picture,
      foreign: picture.foreign.map((one) => ({ ...one, operations: one.operations.map(readable) })),
    })),
    text: pictures.map(textOf).join('\n'),
  });
  return 0;
}

const readable = ({ amount, ...operation }: ForeignOperation): object => ({
  ...operation,
  ...(amount !== undefined && { amount: formatAmount(BigInt(amount)) }),
});

function textOf({ account, frozen, foreign, suspects }: Picture): string {
  const state = frozen
    ? `FROZEN since ${timeText(frozen.since)}: ${frozen.reason}`
    : 'not frozen: its payouts flow';
  const looksLike = new Map(
    suspects.map(({ hash, operationIndex, key }) => [`${hash}:${operationIndex}`, key]),
  );
  const lines = foreign.flatMap((one) =>
    one.operations.map((operation, index) => ({
      HASH: one.hash,
      LEDGER: String(one.ledger),
      TIME: timeText(one.closedAt),
      OPERATION: one.successful ? operation.type : `${operation.type} (failed)`,
      AMOUNT: operation.amount === undefined ? '' : formatAmount(BigInt(operation.amount)),
      ASSET: operation.assetId?.split(':')[0] ?? '',
      TO: operation.destination ?? '',
      MEMO: one.memo === null ? '' : `${one.memoType}:${one.memo}`,
      'LOOKS LIKE': looksLike.get(`${one.hash}:${index}`) ?? '',
      ADOPTED: one.adoptedBy ?? '',
    })),
  );
  return `${account}: ${state}\n${tableText(lines, 'Nothing foreign.')}`;
}

function onlyAccount(anchor: Pick<Anchor, 'assets'>, account: string | undefined): string {
  const ours = distributionAccounts(anchor);
  const [only, ...others] = account === undefined ? ours : ours.filter((one) => one === account);
  if (only === undefined || others.length > 0) throw new UnknownAccount(account, ours);
  return only;
}

function readPaid(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const [transfer = '', hash = '', ...more] = text.split('=');
      if (transfer === '' || !/^[\da-f]{64}$/i.test(hash) || more.length > 0) throw new BadPaid(text);
      return [transfer, hash.toLowerCase()];
    }),
  );
}

/** `capstan reconcile adopt`. */
export async function runReconcileAdopt(options: ReconcileAdoptOptions): Promise<number> {
  const actor = actorOf(options);
  const { reason, notPaid } = options;
  const paid = readPaid(options.paid);
  const adopted = await onAnchor(options, async ({ anchor, database }) => {
    const account = onlyAccount(anchor, options.account);
    const foreign = await listForeign(database, account, { limit: 500 });
    await confirm(
      `${foreign.length} foreign transactions of ${account} become known, and its payouts flow again.`,
      options,
    );
    const isMatchedPaid = options.paidAsMatched === true;
    const isUnreadAccepted = options.unread === true;
    return adopt(database, {
      account,
      actor,
      reason,
      paid,
      unpaid: notPaid,
      isMatchedPaid,
      isUnreadAccepted,
    });
  });
  const count = (keys: readonly string[], what: string): string =>
    keys.length === 0 ? '' : `${keys.length} ${what}: ${keys.slice(0, 20).join(', ')}\n`;
  print(options.output, {
    json: adopted,
    text:
      `Adopted ${adopted.transactions.length} transactions of ${adopted.account}; its payouts flow.\n` +
      count(adopted.paid, 'transfers are settled by them and are not paid again') +
      count(adopted.unpaid, 'transfers are paid'),
  });
  return 0;
}
