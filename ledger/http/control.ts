import { MisbehaviourError, parseMisbehaviour } from '../misbehaviour.ts';
import { badRequest, notFound } from './problem.ts';
import { ok } from './request.ts';
import type { Reply, Request } from './request.ts';
import { readBody } from './submit.ts';

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('body', 'The body is no JSON.');
  }
}

function state({ context }: Request): Reply {
  const { chain, faults } = context.node;
  return ok({
    passphrase: chain.passphrase,
    latest_ledger: chain.latest.sequence,
    oldest_ledger: chain.history.oldest,
    queued: chain.queue.size,
    misbehaviour: faults.describe(),
    met: faults.met,
  });
}

async function misbehave(request: Request): Promise<Reply> {
  const change = parseJson(await readBody(request.incoming));
  try {
    request.context.node.faults.change(parseMisbehaviour(change));
  } catch (thrown) {
    if (thrown instanceof MisbehaviourError) throw badRequest('body', thrown.message);
    throw thrown;
  }
  return state(request);
}

/**
 * What steers the ledger from another process: `GET /control/state`, `POST /control/close`, and
 * `POST /control/misbehave` with a JSON object of faults (null ends one). Faults never touch these.
 * @throws Problem 400, 404
 */
export async function control(request: Request, method: string, path: string): Promise<Reply> {
  switch (`${method} ${path}`) {
    case 'GET /control/state':
      return state(request);
    case 'POST /control/misbehave':
      return misbehave(request);
    case 'POST /control/close':
      await request.context.node.closeLedger();
      return state(request);
    default:
      throw notFound();
  }
}
