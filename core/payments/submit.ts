import { randomUUID } from 'node:crypto';
import type { DatabaseTransaction } from '../database/database.ts';
import { lockQueued, type LockedTransfer } from '../database/repositories/lock-queued.ts';
import {
  isTakenMeanwhile,
  journalSubmission,
  journalSubmissions,
  type NewSubmission,
} from '../database/repositories/submissions.ts';
import type { Change } from '../database/repositories/transactions.ts';
import { deferTransfers, type Transfer } from '../database/repositories/transfers.ts';
import type { Signer } from '../keys/ed25519.ts';
import { buildPaymentTransaction, type BuiltTransaction } from '../ledger/envelope.ts';
import { InvalidEnvelope } from '../ledger/errors.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import { reclaimTime } from './claimable.ts';
import type { Transaction } from '../transaction/transaction.ts';
import type { PaymentContext } from './context.ts';
import { openGate, type Gate } from './gate.ts';
import { toOperation } from './plan.ts';
import type { Frame, Round } from './round.ts';
import { mayBePaid, movesTransaction } from './wanted.ts';
import { changeByTransfers } from './waves.ts';

const UNBUILDABLE_MS = 300_000;

/** A signed envelope that is to be journalled. */
export interface Outgoing extends Frame {
  readonly signed: BuiltTransaction;
  /** Whose sequence number it takes. */
  readonly source: LedgerAccount;
  readonly operationCount: number;
  /** In the order of the operations; none for upkeep. */
  readonly transferIds: readonly string[];
}

/**
 * Commits an envelope to the journal before anybody sends it: intent before effect. Whatever `also` writes is part of the
 * same database transaction. False, with nothing written, when another process was quicker, or money is stopped, the account
 * frozen (design 6.9) or this process to journal nothing more by now.
 */
export async function journal(
  context: PaymentContext,
  distribution: string,
  { signed, source, maxTime, feePerOperation, operationCount, transferIds }: Outgoing,
  also: (trx: DatabaseTransaction) => Promise<void>,
): Promise<boolean> {
  const { database, log } = context;
  try {
    const isJournalled = await database.transaction().execute(async (trx) => {
      if ((await openGate(context, trx, distribution, [])).isShut()) return false;
      await journalSubmission(trx, {
        id: randomUUID(),
        hash: signed.hash,
        source: source.id,
        sequence: source.sequence + 1n,
        envelope: signed.envelope,
        minTime: 0n,
        maxTime,
        feeBidPerOperation: feePerOperation,
        operationCount,
        transferIds,
      });
      await also(trx);
      return true;
    });
    if (isJournalled) context.wake?.('submissions');
    return isJournalled;
  } catch (error) {
    if (!isTakenMeanwhile(error)) throw error;
    log.debug({ account: source.id }, 'another process was quicker; planning again');
    return false;
  }
}

/** The key that signs for a distribution account and for all of its channels. */
export function signerOf({ signers }: PaymentContext, distribution: string): Signer {
  const signer = signers.get(distribution);
  if (!signer) throw new Error(`no seed for ${distribution}`);
  return signer;
}

/** Transfers that are to ride together, over the sequence number of `source`. */
export interface Batch {
  readonly source: LedgerAccount;
  readonly transfers: readonly Transfer[];
}

/** A batch that is built and signed. */
interface Signed extends Batch {
  readonly row: NewSubmission;
}

/**
 * Journals one ledger transaction for each batch; the customers' transactions become `pending_stellar` with it, all in one
 * database transaction. What is no longer to be paid, or taken by another process at this moment, is left out of its batch
 * before it is signed, and so is what has changed since it was planned; a batch whose source another process took is left out whole. Answers how many transfers are journalled.
 */
export async function submitBatches(
  context: PaymentContext,
  round: Round,
  batches: readonly Batch[],
): Promise<number> {
  const { database, log } = context;
  const unbuildable: Transfer[] = [];
  const { journalled, gate } = await database.transaction().execute(async (trx) => {
    const planned = batches.flatMap(({ transfers }) => transfers);
    const opened = await openGate(context, trx, round.account.id, planned);
    const locked = await lockQueued(
      trx,
      planned.map(({ id }) => id),
    );
    const signed: Signed[] = [];
    for (const { source, transfers } of batches) {
      const wanted = transfers.flatMap(
        (transfer) => asLocked(transfer, locked.get(transfer.id), opened) ?? [],
      );
      if (wanted.length === 0) continue;
      const row = sign(context, round, { source, transfers: wanted });
      if (row) signed.push({ source, transfers: wanted, row });
      else unbuildable.push(...wanted);
    }
    if (signed.length === 0) return { journalled: [], gate: opened };
    const taken = await journalSubmissions(
      trx,
      signed.map(({ row }) => row),
    );
    const ours = signed.filter(({ row }) => taken.has(row.id));
    await markSubmitted(context, trx, ours, locked);
    return { journalled: ours, gate: opened };
  });
  await gate.close();
  const idsOf = unbuildable.map(({ id }) => id);
  if (idsOf.length > 0) await deferTransfers(database, idsOf, 'unbuildable', UNBUILDABLE_MS);
  for (const { row, source, transfers } of journalled) {
    log.info(
      { submission: row.hash, account: round.account.id, source: source.id, transfers: transfers.length },
      'journalled a submission',
    );
  }
  if (journalled.length > 0) context.wake?.('submissions');
  return journalled.reduce((sum, { transfers }) => sum + transfers.length, 0);
}

/** All of a transfer that its envelope says. */
const PAID_BY = [
  'source',
  'destination',
  'assetId',
  'amount',
  'memoType',
  'memo',
  'operation',
  'claimableBalanceId',
] as const satisfies readonly (keyof Transfer)[];

/**
 * A transfer as it is under its lock, or undefined when it is not to be paid like that now: since it was planned it may
 * have become another one (the next round looks at that one afresh), its transaction moved to where nothing is paid, or its
 * money been stopped.
 */
function asLocked(planned: Transfer, locked: LockedTransfer | undefined, gate: Gate): Transfer | undefined {
  if (!locked) return undefined;
  const { transfer, transaction } = locked;
  if (PAID_BY.some((column) => transfer[column] !== planned[column])) return undefined;
  const isWanted = !movesTransaction(transfer) || (transaction !== undefined && mayBePaid(transaction));
  return isWanted && gate.allows(locked) ? transfer : undefined;
}

/** A signed envelope as a row of the journal; undefined when it cannot be built. */
function sign(
  context: PaymentContext,
  round: Round,
  { source, transfers }: Batch,
): NewSubmission | undefined {
  const signed = build(context, round, { source, transfers }, signerOf(context, round.account.id));
  return (
    signed && {
      id: randomUUID(),
      ...signed,
      source: source.id,
      sequence: source.sequence + 1n,
      minTime: 0n,
      maxTime: round.maxTime,
      feeBidPerOperation: round.feePerOperation,
      transferIds: transfers.map(({ id }) => id),
    }
  );
}

async function markSubmitted(
  { actor }: PaymentContext,
  trx: DatabaseTransaction,
  journalled: readonly Signed[],
  locked: ReadonlyMap<string, LockedTransfer>,
): Promise<void> {
  const transactions = [...locked.values()].flatMap(({ transaction }) => transaction ?? []);
  const byId = new Map(transactions.map((transaction) => [transaction.id, transaction]));
  const moved = journalled.flatMap(({ row, transfers }) =>
    transfers.filter(movesTransaction).map((transfer) => ({ transfer, hash: row.hash })),
  );
  const decide = ({ transfer, hash }: (typeof moved)[number], transaction: Transaction): Change => ({
    // Two transfers of one transaction may go at once: the first has moved it.
    ...(transaction.status !== 'pending_stellar' && { status: 'pending_stellar' }),
    actor,
    reason: 'submitted to the ledger',
    detail: { hash, transfer: transfer.key },
  });
  await changeByTransfers(trx, moved, decide, async () => {}, byId);
}

/** Undefined where the protocol does not allow it (a memo too long, say): those wait for a person, not the queue for them. */
function build(
  context: PaymentContext,
  { maxTime, feePerOperation }: Frame,
  { source, transfers }: Batch,
  signer: Signer,
): BuiltTransaction | undefined {
  const { anchor, log } = context;
  const [first] = transfers;
  const reclaimAt = reclaimTime(context, maxTime);
  try {
    return buildPaymentTransaction(
      {
        source: source.id,
        sequence: source.sequence + 1n,
        maxTime,
        feePerOperation,
        operations: transfers.map((transfer) => toOperation(transfer, reclaimAt)),
        ...(first?.memo != null &&
          first.memoType && { memo: { type: first.memoType, value: memoValue(first) } }),
        passphrase: anchor.network.passphrase,
      },
      [signer],
    );
  } catch (error) {
    if (!(error instanceof InvalidEnvelope)) throw error;
    const keys = transfers.map((transfer) => transfer.key);
    log.error(
      { err: error, transfers: keys },
      'these transfers make no valid transaction; a person has to look',
    );
    return undefined;
  }
}

/** Wallets give hash memos in base64 (SEP-24); envelopes are built from hexadecimal. */
function memoValue(transfer: Transfer): string {
  const memo = transfer.memo ?? '';
  return transfer.memoType === 'hash' || transfer.memoType === 'return'
    ? Buffer.from(memo, 'base64').toString('hex')
    : memo;
}
