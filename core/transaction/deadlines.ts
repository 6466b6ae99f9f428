import type { Deadlines } from '../spec/anchor.ts';
import type { Status } from './status.ts';
import type { Transaction } from './transaction.ts';

/** How long each state that waits for the customer may last, unless the row says until when. */
const OF_STATUS: Partial<Record<Status, keyof Deadlines>> = {
  incomplete: 'abandonedAfterMs',
  pending_user_transfer_start: 'userActionRequiredMs',
  pending_trust: 'pendingTrustMs',
};

const WAITING_FOR_USER: ReadonlySet<Status> = new Set<Status>([
  'incomplete',
  'pending_user_transfer_start',
  'pending_user',
  'pending_trust',
]);

/**
 * Until when the customer has to act (SEP-24 `user_action_required_by`), undefined where nobody waits for the customer. A
 * date of the row that had passed when the state was entered is left from before (held, then approved) and does not count.
 */
export function deadlineOf(
  {
    status,
    userActionRequiredBy,
    updatedAt,
  }: Pick<Transaction, 'status' | 'userActionRequiredBy' | 'updatedAt'>,
  deadlines: Deadlines,
): Date | undefined {
  if (!WAITING_FOR_USER.has(status)) return undefined;
  if (userActionRequiredBy && userActionRequiredBy > updatedAt) return userActionRequiredBy;
  const name = OF_STATUS[status];
  return name && new Date(updatedAt.getTime() + deadlines[name]);
}
