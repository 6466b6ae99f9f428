import { FriendbotBusyError } from '../friendbot.ts';
import { Problem, submissionTimeout } from './problem.ts';
import { checkAccountId } from './query.ts';
import type { Reply, Request } from './request.ts';
import { readForm, settledReply } from './submit.ts';

function alreadyFunded(): Problem {
  return new Problem({
    type: 'bad_request',
    title: 'Bad Request',
    status: 400,
    detail: 'account already funded to starting balance',
  });
}

async function giftHash({ context }: Request, account: string): Promise<string> {
  try {
    return await context.friendbot.request(account);
  } catch (thrown) {
    if (!(thrown instanceof FriendbotBusyError)) throw thrown;
    throw new Problem({
      type: 'server_over_capacity',
      title: 'Server Over Capacity',
      status: 503,
      detail: thrown.message,
    });
  }
}

/** /friendbot?addr=G…: makes the account in the next ledger and answers like a submission. @throws Problem 400, 503, 504 */
export async function fundAccount(request: Request): Promise<Reply> {
  const { context, query, incoming, signal } = request;
  const form = incoming.method === 'POST' ? await readForm(request) : query;
  const account = checkAccountId(form.get('addr') ?? '', 'addr');
  if (context.node.chain.store.account(account) !== null) throw alreadyFunded();
  const timeout = new Promise<null>((resolve) => {
    setTimeout(() => resolve(null), context.submitTimeoutMs).unref();
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const hash = await Promise.race([giftHash(request, account), timeout]);
  const record = hash === null ? null : await context.node.waitFor(hash, context.submitTimeoutMs, signal);
  if (record === null) throw submissionTimeout('', hash ?? '');
  return settledReply(request, record, record.hash);
}
