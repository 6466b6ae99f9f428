import { readPayload, rowAtEvent, type CallbackPayload } from '../../core/callbacks/payload.ts';
import { claimCallbacks, isOvertaken } from '../../core/callbacks/queue.ts';
import { signCallback } from '../../core/callbacks/signature.ts';
import { LeaseLost, postpone } from '../../core/database/claim.ts';
import type { Database } from '../../core/database/database.ts';
import type { LostClaims } from '../../core/database/lost-claims.ts';
import { buryTask, completeTask, type TaskClaim } from '../../core/database/repositories/tasks.ts';
import { toTransaction } from '../../core/database/repositories/transactions.ts';
import { PublicFetchError, type PublicFetch } from '../../core/http/public-fetch.ts';
import type { Signer } from '../../core/keys/ed25519.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CapstanError, messageOf } from '../../core/runtime/errors.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { serializeTransaction } from '../../core/transaction/sep24-object.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';

/** For look-up, connection and the whole answer of a wallet's server. */
const DEADLINE_MS = 5_000;
const LEASE_MS = 30_000;
/** Only the status of an answer counts. */
const MAX_ANSWER_BYTES = 65_536;
/** Calls of one host at the same time, about: one that hangs must leave room for the others. */
const PER_HOST = 5;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** From one attempt to the next: 12 attempts in 24 hours. */
export const RETRY_MS = [
  10_000,
  30_000,
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  4 * HOUR_MS,
  6 * HOUR_MS,
  10 * HOUR_MS,
] as const;

/** What an attempt cannot change: the URL itself is refused. */
const HOPELESS: ReadonlySet<string> = new Set(['invalid_url', 'destination_forbidden']);

/** What the watcher needs to speak to wallets. */
export interface WalletCalls {
  /** SIGNING_KEY of stellar.toml. */
  readonly signer: Signer;
  /** Refuses private addresses while connecting. */
  readonly publicFetch: PublicFetch;
  /** A fresh `more_info_url`. */
  readonly moreInfo: (transaction: Transaction) => string;
}

export interface CallbackContext {
  readonly database: Database;
  readonly anchor: Pick<Anchor, 'assets' | 'deadlines'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly wallets: WalletCalls;
  /** What this process holds and does not work on. Default: such claims wait until their leases end. */
  readonly lost?: LostClaims;
}

/** A wallet's server did not take a callback; it is told again. */
class CallbackRefused extends CapstanError {
  constructor(status: number) {
    super('callback_refused', `The wallet's server answered ${status}.`);
  }
}

/** An attempt at this task can never succeed. */
class Undeliverable extends CapstanError {
  constructor(why: string) {
    super('callback_undeliverable', why);
  }
}

/**
 * Tells wallets of changes of their transactions (SEP-24 `callback` and `on_change_callback`), at least once and in order.
 * Answers the function that claims up to `limit` due ones, each a job that never throws. Its trouble is the wallet's alone:
 * neither money nor another wallet waits for it.
 */
export function callbackSender(
  context: CallbackContext,
): (limit: number) => Promise<readonly (() => Promise<void>)[]> {
  const running = new Map<string, number>();
  const count = (host: string, by: number): void => {
    const now = (running.get(host) ?? 0) + by;
    if (now > 0) running.set(host, now);
    else running.delete(host);
  };
  return async (limit) => {
    const busyHosts = [...running].filter(([, calls]) => calls >= PER_HOST).map(([host]) => host);
    const claims = await claimCallbacks(context.database, {
      lost: context.lost,
      limit,
      leaseMs: LEASE_MS,
      perHost: PER_HOST,
      busyHosts,
    });
    return claims.map((claimed) => {
      const host = readPayload(claimed.row.payload)?.host ?? '';
      count(host, 1);
      return () => deliver(context, claimed).finally(() => count(host, -1));
    });
  };
}

async function deliver(context: CallbackContext, claimed: TaskClaim): Promise<void> {
  const { database, log } = context;
  const task = claimed.row.key;
  try {
    await send(context, claimed);
    await database.transaction().execute((trx) => completeTask(trx, claimed));
    log.debug({ task }, 'told a wallet');
  } catch (error) {
    if (error instanceof LeaseLost) {
      log.info({ err: error, task }, 'another process tells the wallet');
      return;
    }
    await later(context, claimed, error).catch((failure: unknown) => {
      const { row, token } = claimed;
      const delayMs = RETRY_MS[row.attempts - 1] ?? RETRY_MS[0];
      context.lost?.note({ table: 'task', token, id: row.id, delayMs, leaseMs: LEASE_MS });
      log.error({ err: failure, task }, 'a failed callback was not noted; it is tried again');
    });
  }
}

/** After a failure: again later, or given up and left to a person. */
async function later({ database, log }: CallbackContext, claimed: TaskClaim, error: unknown): Promise<void> {
  const { key: task, attempts } = claimed.row;
  const isHopeless =
    error instanceof Undeliverable || (error instanceof PublicFetchError && HOPELESS.has(error.code));
  const delayMs = isHopeless ? undefined : RETRY_MS[attempts - 1];
  if (delayMs === undefined) {
    await database.transaction().execute((trx) => buryTask(trx, claimed, messageOf(error)));
    log.warn({ err: error, task, attempts }, 'a callback was given up; "capstan retry" sends it again');
    return;
  }
  await postpone(database, 'task', claimed, delayMs, messageOf(error));
  log.info({ err: error, task, attempts, wait_ms: delayMs }, 'a callback failed and will be tried again');
}

async function send(context: CallbackContext, claimed: TaskClaim): Promise<void> {
  const { anchor, clock, wallets } = context;
  const event = readPayload(claimed.row.payload);
  if (!event) throw new Undeliverable('The payload cannot be read by this release.');
  const transaction = await transactionToTell(context.database, claimed.row.transactionId, event);
  const moreInfoUrl = wallets.moreInfo(transaction);
  const body = JSON.stringify({ transaction: serializeTransaction(transaction, { anchor, moreInfoUrl }) });
  const { status } = await wallets.publicFetch(event.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Capstan',
      ...signCallback(wallets.signer, { url: event.url, body, nowMs: clock.now() }),
    },
    body,
    deadlineMs: DEADLINE_MS,
    maxBytes: MAX_ANSWER_BYTES,
  });
  if (status < 200 || status > 299) throw new CallbackRefused(status);
}

/** As it was after the event; as it is today when the wallet has been told of a later one already, and this is a replay. */
async function transactionToTell(
  database: Database,
  transactionId: string,
  event: CallbackPayload,
): Promise<Transaction> {
  const row = await database
    .selectFrom('transaction')
    .selectAll()
    .where('id', '=', transactionId)
    .executeTakeFirst();
  if (!row) throw new Undeliverable('Its transaction does not exist.');
  const isReplay =
    row.version > event.version &&
    (await isOvertaken(database, { transactionId, url: event.url, version: event.version }));
  return toTransaction(isReplay ? row : rowAtEvent(row, event));
}
