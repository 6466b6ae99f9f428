import type { Database, DatabaseTransaction } from '../database/database.ts';
import {
  adoptForeign,
  advanceMarks,
  findForeign,
  freePayments,
  insertVerdict,
  lockTransfer,
  requeueUnsuspected,
  settleByForeign,
  unfreezeAccount,
  unreadSequences,
  type UnreadSequence,
} from '../database/repositories/adoption.ts';
import {
  suspectTransfers,
  type ForeignTransaction,
  type Suspicion,
} from '../database/repositories/journal.ts';
import { lockMark } from '../database/repositories/money-locks.ts';
import { changeTransaction, findTransaction, insertEvent } from '../database/repositories/transactions.ts';
import { setTransferState, type Transfer } from '../database/repositories/transfers.ts';
import { CapstanError } from '../runtime/errors.ts';
import { afterPayments, type Paid } from './paid.ts';
import { MAYBE_PAID } from './suspects.ts';
import { settleForeignClaim } from './taken-back.ts';

export interface Adoption {
  /** The distribution account. */
  readonly account: string;
  /** `operator:jane`. */
  readonly actor: string;
  readonly reason: string;
  /** Transfers (key or id) that a foreign transaction (hash) has paid. */
  readonly paid: ReadonlyMap<string, string>;
  /** Transfers that none has paid, although one looks like it: they are paid. */
  readonly unpaid: readonly string[];
  /** All other transfers that look paid are, each by the payment that looks like it, oldest first. */
  readonly isMatchedPaid: boolean;
  /** Adopts although nothing that was read says what took a sequence number. Default: that is waited for. */
  readonly isUnreadAccepted?: boolean;
}

/** What an adoption has done. */
export interface Adopted {
  readonly account: string;
  /** Hashes. */
  readonly transactions: readonly string[];
  /** Keys of transfers that are settled now, and are not paid again. */
  readonly paid: readonly string[];
  /** Keys of transfers that will be paid. */
  readonly unpaid: readonly string[];
  readonly wasFrozen: boolean;
}

export class UndecidedTransfers extends CapstanError {
  /** Keys. */
  readonly transfers: readonly string[];

  constructor(transfers: readonly string[]) {
    const some = transfers.slice(0, 5).join(', ') + (transfers.length > 5 ? ' …' : '');
    super(
      'undecided_transfers',
      `${transfers.length} transfers look paid by foreign transactions (${some}): nothing was adopted. ` +
        'Decide with --paid-as-matched, or one by one with --paid TRANSFER=HASH and --not-paid TRANSFER.',
    );
    this.transfers = transfers;
  }
}

export class UnreadHistory extends CapstanError {
  constructor(unread: readonly UnreadSequence[]) {
    const those = unread.map(({ account, seenSequence }) => `${seenSequence} of ${account}`);
    super(
      'unread_history',
      `What took the sequence number ${those.join(', ')} is not read yet, and may have paid somebody: nothing was adopted. ` +
        'Wait until the watcher has read it (seconds, unless Horizon is behind), then look again. Only where you have looked up ' +
        'that no transaction of the account took it (the account was merged and made anew, say), add --unread.',
    );
  }
}

export class TransferUnderWay extends CapstanError {
  constructor(key: string) {
    super(
      'transfer_under_way',
      `${key} is in a submission of ours whose fate the ledger has not told yet, or is over. Wait until it is settled (a few minutes at most), then look again; nothing was adopted.`,
    );
  }
}

export class NotSuch extends CapstanError {
  constructor(what: string) {
    super('reconcile_unknown', `${what}; nothing was adopted. See "capstan reconcile show".`);
  }
}

/**
 * Takes what is foreign to an account as known, with a person's word on the transfers that it may have paid, and lets its payouts
 * flow again; all in one database transaction with its audit. What is declared paid is settled for good: the customer is
 * told, nobody pays it again. Nothing that looks paid is ever paid without a word on it.
 *
 * @throws {UnreadHistory | UndecidedTransfers | TransferUnderWay | NotSuch | ConcurrentChange}
 */
export async function adopt(database: Database, adoption: Adoption): Promise<Adopted> {
  const { account, actor, reason } = adoption;
  return database.transaction().execute(async (trx) => {
    await lockMark(trx, account);
    const kind = await unfreezeAccount(trx, account);
    const isUnreadTaken = adoption.isUnreadAccepted === true || kind === 'history_gone';
    const unread = isUnreadTaken ? [] : await unreadSequences(trx, account);
    if (unread.length > 0) throw new UnreadHistory(unread);
    const paid: string[] = [];
    for (const [transfer, hash] of adoption.paid) paid.push(await declarePaid(trx, adoption, transfer, hash));
    const unpaid: string[] = [];
    for (const transfer of adoption.unpaid) unpaid.push(await declareUnpaid(trx, adoption, transfer));
    if (adoption.isMatchedPaid) paid.push(...(await declareMatched(trx, adoption)));
    const left = keysOf(await suspectTransfers(trx, account));
    if (left.length > 0) throw new UndecidedTransfers(left);
    for (const id of await requeueUnsuspected(trx, account, MAYBE_PAID, [])) await calm(trx, id, adoption);
    const transactions = await adoptForeign(trx, account, { actor, reason });
    await advanceMarks(trx, account, isUnreadTaken);
    const wasFrozen = kind !== undefined;
    if (!wasFrozen && transactions.length + paid.length + unpaid.length === 0)
      throw new NotSuch(`There is nothing to adopt for ${account}`);
    await insertEvent(trx, {
      actor,
      reason: `adopted what is foreign to ${account}: ${reason}`,
      detail: { account, transactions, paid, unpaid, wasFrozen },
    });
    return { account, transactions, paid, unpaid, wasFrozen };
  });
}

const keysOf = (suspicions: readonly Suspicion[]): readonly string[] => [
  ...new Set(suspicions.map(({ key }) => key)),
];

async function findTransfer(trx: DatabaseTransaction, account: string, keyOrId: string): Promise<Transfer> {
  const transfer = await lockTransfer(trx, keyOrId);
  if (!transfer || transfer.source !== account)
    throw new NotSuch(`${account} has no transfer ${keyOrId.slice(0, 100)}`);
  return transfer;
}

async function declarePaid(
  trx: DatabaseTransaction,
  { account, actor, reason }: Adoption,
  keyOrId: string,
  hash: string,
): Promise<string> {
  const transfer = await findTransfer(trx, account, keyOrId);
  const foreign = await findForeign(trx, hash);
  if (!foreign || foreign.account !== account || !foreign.successful)
    throw new NotSuch(`${hash.slice(0, 64)} is no successful foreign transaction of ${account}`);
  const alike = (await suspectTransfers(trx, account, [transfer.id])).find((one) => one.hash === hash);
  const operationIndex = alike?.operationIndex ?? (await freePayments(trx, hash))[0]?.operationIndex;
  if (operationIndex === undefined)
    throw new NotSuch(`Every payment of ${hash} has paid another transfer already, or it paid nobody`);
  if (!(await settleByForeign(trx, transfer.id, foreign))) throw new TransferUnderWay(transfer.key);
  await insertVerdict(trx, { transferId: transfer.id, verdict: 'paid', hash, operationIndex, actor, reason });
  const place = placeOf(foreign, operationIndex);
  await afterPayments({ actor }, trx, [{ transfer, found: foreign, ...place }]);
  // What was laid since a backup may be back already, and its claim was read before anybody knew whose it was.
  if (place.balanceId !== undefined) await settleForeignClaim({ actor }, trx, place.balanceId);
  return transfer.key;
}

/** Where a payout lies that was laid on the ledger to be claimed. */
function placeOf(
  { operations }: ForeignTransaction,
  operationIndex: number,
): Pick<Paid, 'balanceId' | 'reclaimAt'> {
  const { balanceId, reclaimAt } = operations[operationIndex] ?? {};
  return {
    ...(balanceId !== undefined && { balanceId }),
    ...(reclaimAt !== undefined && { reclaimAt: BigInt(reclaimAt) }),
  };
}

async function declareUnpaid(trx: DatabaseTransaction, adoption: Adoption, keyOrId: string): Promise<string> {
  const { account, actor, reason } = adoption;
  const transfer = await findTransfer(trx, account, keyOrId);
  if (transfer.submissionId !== null) throw new TransferUnderWay(transfer.key);
  await insertVerdict(trx, {
    transferId: transfer.id,
    verdict: 'unpaid',
    hash: null,
    operationIndex: null,
    actor,
    reason,
  });
  if (transfer.state === 'waiting' && transfer.reason === MAYBE_PAID) {
    await setTransferState(trx, transfer.id, { to: 'queued', reason: null });
    if (transfer.transactionId !== null) await calm(trx, transfer.transactionId, adoption);
  }
  return transfer.key;
}

/** One payment settles one transfer: of two alike, the older transfer takes the first payment. */
async function declareMatched(trx: DatabaseTransaction, adoption: Adoption): Promise<readonly string[]> {
  const paid: string[] = [];
  const taken = new Set<string>();
  const done = new Set<string>();
  for (const { transferId, key, hash, operationIndex } of await suspectTransfers(trx, adoption.account)) {
    const payment = `${hash}:${operationIndex}`;
    if (taken.has(payment) || done.has(transferId)) continue;
    taken.add(payment);
    done.add(transferId);
    paid.push(await declarePaid(trx, adoption, key, hash));
  }
  return paid;
}

/** Takes back the call for a person that {@link MAYBE_PAID} was. */
async function calm(trx: DatabaseTransaction, transactionId: string, { actor }: Adoption): Promise<void> {
  const transaction = await findTransaction(trx, transactionId);
  if (!transaction) return;
  const reason = 'a person says that it is not paid yet';
  await changeTransaction(trx, transaction, { patch: { attention: null }, actor, reason });
}
