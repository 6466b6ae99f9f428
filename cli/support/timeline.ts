import type { Ride, TaskRow, TransactionFile } from '../../core/database/repositories/support.ts';
import { formatAmount } from '../../core/transaction/amount.ts';
import { timeText, type Line } from './output.ts';

interface Moment {
  readonly at: Date;
  readonly who: string;
  readonly what: string;
}

/** What happened to a transaction, and what is still to happen, in the order of time. Pure. */
export function timelineOf(file: TransactionFile): readonly Line[] {
  const moments = [
    ...file.events.map(eventMoment),
    ...file.transfers.flatMap(transferMoments),
    ...file.rides.flatMap(rideMoments),
    ...file.receipts.map(receiptMoment),
    ...file.tasks.flatMap(taskMoments),
  ];
  return moments
    .toSorted((one, other) => one.at.getTime() - other.at.getTime())
    .map(({ at, who, what }) => ({ TIME: timeText(at), WHO: who, WHAT: what }));
}

function eventMoment(event: TransactionFile['events'][number]): Moment {
  const { at, actor, fromStatus, toStatus, reason } = event;
  const move =
    fromStatus === toStatus || toStatus === null
      ? ''
      : `${fromStatus ? `${fromStatus} ` : ''}→ ${toStatus}: `;
  return { at, who: actor, what: `${move}${reason}` };
}

function transferMoments(transfer: TransactionFile['transfers'][number]): readonly Moment[] {
  const { key, createdAt, settledAt, state, reason, amount, destination } = transfer;
  const queued = {
    at: createdAt,
    who: 'transfer',
    what: `${key}: ${formatAmount(amount)} to ${destination}`,
  };
  if (settledAt) return [queued, { at: settledAt, who: 'transfer', what: `${key}: settled` }];
  const now = `${key}: ${state}${reason === null ? '' : ` (${reason})`}, due ${timeText(transfer.nextAttemptAt)}`;
  return [queued, { at: transfer.nextAttemptAt, who: 'transfer', what: now }];
}

function rideMoments({ hash, state, result, ledger, createdAt, finishedAt }: Ride): readonly Moment[] {
  const who = 'submission';
  const signed = { at: createdAt, who, what: `${hash}: signed and journalled` };
  if (!finishedAt) return [signed];
  const outcome = [state, result, ledger === null ? null : `in ledger ${ledger}`].filter(Boolean).join(', ');
  return [signed, { at: finishedAt, who, what: `${hash}: ${outcome}` }];
}

function receiptMoment(receipt: TransactionFile['receipts'][number]): Moment {
  const { closedAt, transactionHash, amount, assetId, fromAccount, state, reason } = receipt;
  const judged = reason === null ? state : `${state}, ${reason}`;
  const what = `${judged}: ${formatAmount(amount)} ${assetId.split(':')[0]} from ${fromAccount}, ${transactionHash}`;
  return { at: closedAt, who: 'receipt', what };
}

function taskMoments(task: TaskRow): readonly Moment[] {
  const { key, createdAt, doneAt, deadAt, nextAttemptAt, attempts, lastError, id } = task;
  const who = 'task';
  const queued = { at: createdAt, who, what: `${key}: to be done` };
  const after = `after ${attempts} attempt${attempts === 1 ? '' : 's'}`;
  const trouble = lastError === null ? '' : `: ${lastError}`;
  if (doneAt) return [queued, { at: doneAt, who, what: `${key}: done ${after}` }];
  if (deadAt) {
    const what = `${key}: given up ${after}${trouble} (capstan retry ${id})`;
    return [queued, { at: deadAt, who, what }];
  }
  return [queued, { at: nextAttemptAt, who, what: `${key}: due, ${after}${trouble}` }];
}
