/**
 * The effects of every way that money takes, in words. A commit is named by the tables that it writes (`+` inserted, `~` updated,
 * `-` deleted, without a sign any of it); `…` stands for others, of what rides in the same batch. Every run has to crash before and after each of these;
 * it finds others (heartbeats, cursors, leases) by itself. docs/crash-points.md shows them.
 */
export const EFFECTS: Readonly<Record<string, string>> = {
  'poll-deposits: POST /capstan/v1/deposits/poll': 'the bank is asked whose money came in',
  'poll-deposits: commit [event+ task+ transaction~ transfer+]':
    'the money of a deposit is received, its payout is queued',
  'watch-transactions: commit [attempt+ event+ submission+ task+ transaction~ transfer~]':
    'a signed ledger transaction is in the journal, its transfers are tied to it',
  'watch-transactions: POST /transactions_async': 'a ledger transaction is sent',
  'watch-transactions: commit [attempt~ event+ submission~ task+ transaction~ transfer~]':
    'a ledger transaction is settled, its deposits or refunds are completed',
  'watch-transactions: POST /capstan/v1/deposits/completed': 'the bank is told that a deposit was paid',
  'watch-transactions: commit [… cursor event+ receipt+ task+ transaction~]':
    'a payment is recorded and matched to its withdrawal, the cursor moves',
  'watch-transactions: POST /capstan/v1/withdrawals/process': 'the bank is asked to pay a withdrawal out',
  'watch-transactions: commit [event+ task+ task~ transaction~]':
    'what the bank did with a withdrawal is recorded',
  'watch-transactions: commit [event+ task~ transaction~ transfer+]': 'the refund of a withdrawal is queued',
  'watch-transactions: POST /told': 'a wallet is told of a change',
  'watch-transactions: commit [task~]': 'an effect is claimed under a lease, or its outcome noted',
  'receipts: commit [event+ receipt~ transfer+]': 'support sends a payment back that belonged to nothing',
  'watch-transactions: commit [… receipt~ submission~]': 'that refund is settled',
  'watch-transactions: commit [… claimable_balance+ submission~]':
    'a payout lies on the ledger to be claimed',
  'watch-transactions: commit [claimable_balance~ transfer+]': 'what nobody claimed is to be taken back',
  'watch-transactions: commit [… claimable_balance~ submission~]':
    'what nobody claimed is back in the hot wallet',
  'watch-transactions: commit [event+ submission+]':
    'channels to be made, topped up or merged back are in the journal',
  'watch-transactions: commit [submission~]':
    'a submission is claimed under a lease, or the upkeep of channels settled',
  'watch-transactions: commit [… frozen_account+]': 'an account is frozen: somebody else used its seed',
  'watch-transactions: commit [submission_bump+]': 'a dearer envelope of what waits is in the journal',
  'reconcile: commit [… foreign_transaction~ frozen_account-]': 'a person adopts what somebody else did',
};

/** Of an account creation: queued by whichever process finds first that the account is missing. */
const CREATION = 'commit [transfer+]';

/** What a run did not crash at, although it had to. */
export function missingPoints(reached: readonly string[]): readonly string[] {
  const wanted = Object.keys(EFFECTS).flatMap((effect) => {
    const [role = '', what = ''] = effect.split(': ');
    return [`${role}: before ${what}`, `${role}: after ${what}`];
  });
  const missing = wanted.filter((point) => !reached.some((one) => isPoint(one, point)));
  return reached.some((point) => point.endsWith(CREATION)) ? missing : [...missing, CREATION];
}

/** Whether a point that was reached is the one that is wanted, whose `…` stands for any other tables. */
function isPoint(reached: string, wanted: string): boolean {
  const [start, tables] = split(wanted);
  if (!tables.includes('…')) return reached === wanted;
  const [its, written] = split(reached);
  const isWritten = (table: string): boolean =>
    written.some((one) => one === table || one.slice(0, -1) === table);
  return its === start && tables.every((table) => table === '…' || isWritten(table));
}

/** A point without its tables, and these. */
function split(point: string): readonly [string, readonly string[]] {
  const [start = '', tables = ''] = point.split('[');
  return [start, tables.replace(']', '').split(' ')];
}
