import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { MalformedEnvelopeError } from '../errors.ts';
import { refusalExtras, failureExtras } from '../resources/result.ts';
import { transactionResource } from '../resources/transaction.ts';
import type { TransactionRecord } from '../chain/records.ts';
import type { ParsedTransaction } from '../wire/envelope.ts';
import {
  malformedTransaction,
  submissionTimeout,
  transactionFailed,
  unsupportedMediaType,
} from './problem.ts';
import { ok } from './request.ts';
import type { Reply, Request } from './request.ts';

const MAX_BODY_BYTES = 512 * 1024;
const ASYNC_STATUS = { PENDING: 201, DUPLICATE: 409, TRY_AGAIN_LATER: 503 } as const;

/** The whole body as text. @throws Problem 400 if it is too large */
export async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > MAX_BODY_BYTES) throw malformedTransaction('');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The form's fields, with those of the URL. @throws Problem 415 for other kinds of body */
export async function readForm({ incoming, query }: Request): Promise<URLSearchParams> {
  const type = incoming.headers['content-type'];
  if (type !== undefined && !type.startsWith('application/x-www-form-urlencoded'))
    throw unsupportedMediaType();
  const form = new URLSearchParams(await readBody(incoming));
  for (const [name, value] of query) if (!form.has(name)) form.set(name, value);
  return form;
}

/** @throws Problem 400, 415 */
async function readTransaction(request: Request): Promise<ParsedTransaction> {
  const envelopeXdr = (await readForm(request)).get('tx') ?? '';
  try {
    return request.context.node.chain.parse(envelopeXdr);
  } catch (thrown) {
    if (thrown instanceof MalformedEnvelopeError) throw malformedTransaction(envelopeXdr);
    throw thrown;
  }
}

/** What a synchronous submission answers once its transaction is in a ledger. @throws Problem 400 if it failed there */
export function settledReply({ context, links }: Request, record: TransactionRecord, hash: string): Reply {
  const failure = failureExtras(record);
  if (failure !== null) throw transactionFailed(failure);
  return ok(transactionResource(record, context.node.chain.history.decoded(record), links, hash));
}

/**
 * Leaves a submission without an answer, until its client gives up.
 * @returns whether it did so
 */
async function hang(
  { context, listener, signal }: Request,
  transaction: ParsedTransaction,
): Promise<boolean> {
  const { node } = context;
  const fault = node.faults.takeFor('hangSubmissions', listener, 'submission');
  if (fault === null) return false;
  if (fault.apply === true) node.submit(transaction);
  if (!signal.aborted) await once(signal, 'abort');
  return true;
}

/** Misbehaves as told to, before the transaction gets to the queue. @throws Problem 504 */
async function misbehave(request: Request, transaction: ParsedTransaction): Promise<void> {
  const { context, listener, signal } = request;
  const { node } = context;
  const timeout = (): Error => submissionTimeout(transaction.envelopeXdr, transaction.hashHex);
  if (await hang(request, transaction)) throw timeout();
  if (node.faults.takeFor('timeoutWithoutApplying', listener, 'submission') !== null) throw timeout();
  if (node.faults.takeFor('timeoutAfterApplying', listener, 'submission') === null) return;
  node.submit(transaction);
  await node.waitFor(transaction.hashHex, context.submitTimeoutMs, signal);
  throw timeout();
}

/** POST /transactions: answers when the transaction is in a ledger. @throws Problem 400, 504 */
export async function submitTransaction(request: Request): Promise<Reply> {
  const { context, signal } = request;
  const { node } = context;
  const transaction = await readTransaction(request);
  await misbehave(request, transaction);
  const known = node.chain.history.byHash(transaction.hashHex);
  if (known !== null) return settledReply(request, known, transaction.hashHex);
  const admission = node.submit(transaction);
  if (admission.status === 'ERROR') throw transactionFailed(refusalExtras(transaction, admission.outcome));
  const record = await node.waitFor(transaction.hashHex, context.submitTimeoutMs, signal);
  if (record === null) throw submissionTimeout(transaction.envelopeXdr, transaction.hashHex);
  return settledReply(request, record, transaction.hashHex);
}

/** POST /transactions_async: answers what the queue says. @throws Problem 400, 504 */
export async function submitTransactionAsync(request: Request): Promise<Reply> {
  const transaction = await readTransaction(request);
  await misbehave(request, transaction);
  const hash = transaction.hashHex;
  const admission = request.context.node.submit(transaction);
  if (admission.status !== 'ERROR') {
    return { status: ASYNC_STATUS[admission.status], body: { tx_status: admission.status, hash } };
  }
  const result = refusalExtras(transaction, admission.outcome)['result_xdr'];
  return {
    status: 400,
    body: { errorResultXdr: result, error_result_xdr: result, tx_status: 'ERROR', hash },
  };
}
