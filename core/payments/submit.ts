import { randomUUID } from 'node:crypto';
import type { DatabaseTransaction } from '../database/database.ts';
import { isTakenMeanwhile, journalSubmission } from '../database/repositories/submissions.ts';
import { changeTransaction, findTransaction } from '../database/repositories/transactions.ts';
import { deferTransfers, type Transfer } from '../database/repositories/transfers.ts';
import type { Signer } from '../keys/ed25519.ts';
import { buildPaymentTransaction, signEnvelope, type BuiltTransaction } from '../ledger/envelope.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import type { PaymentContext } from './context.ts';
import { toOperation } from './plan.ts';
import type { Frame, Round } from './round.ts';

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
 * same database transaction. False, with nothing written, when another process was quicker.
 */
export async function journal(
  { database, log }: PaymentContext,
  { signed, source, maxTime, feePerOperation, operationCount, transferIds }: Outgoing,
  also: (trx: DatabaseTransaction) => Promise<void>,
): Promise<boolean> {
  try {
    await database.transaction().execute(async (trx) => {
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
    });
    return true;
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

/**
 * Journals one ledger transaction that pays these transfers, over the sequence number of `source`; their transactions become
 * `pending_stellar` with it. Answers how many are in it: all, or none.
 */
export async function submitTransfers(
  context: PaymentContext,
  round: Round,
  source: LedgerAccount,
  transfers: readonly Transfer[],
): Promise<number> {
  const { anchor, actor, log } = context;
  const signer = signerOf(context, round.account.id);
  const built = await build(context, round, source, transfers);
  if (!built) return 0;
  const signed = signEnvelope(built.envelope, anchor.network.passphrase, [signer]);
  const outgoing = {
    signed,
    source,
    maxTime: round.maxTime,
    feePerOperation: round.feePerOperation,
    operationCount: transfers.length,
    transferIds: transfers.map(({ id }) => id),
  };
  const isOurs = await journal(context, outgoing, async (trx) => {
    for (const transfer of transfers) {
      if (transfer.purpose === 'accountCreation') continue;
      const transaction = await findTransaction(trx, transfer.transactionId);
      if (!transaction) continue;
      await changeTransaction(trx, transaction, {
        status: 'pending_stellar',
        actor,
        reason: 'submitted to the ledger',
        detail: { hash: signed.hash, transfer: transfer.key },
      });
    }
  });
  if (!isOurs) return 0;
  log.info(
    { submission: signed.hash, account: round.account.id, source: source.id, transfers: transfers.length },
    'journalled a submission',
  );
  return transfers.length;
}

/** Undefined where the protocol does not allow it (a memo too long, say): those wait for a person, not the queue for them. */
async function build(
  { database, anchor, log }: PaymentContext,
  { maxTime, feePerOperation }: Frame,
  source: LedgerAccount,
  transfers: readonly Transfer[],
): Promise<BuiltTransaction | undefined> {
  const [first] = transfers;
  try {
    return buildPaymentTransaction({
      source: source.id,
      sequence: source.sequence + 1n,
      maxTime,
      feePerOperation,
      operations: transfers.map(toOperation),
      ...(first?.memo != null &&
        first.memoType && { memo: { type: first.memoType, value: memoValue(first) } }),
      passphrase: anchor.network.passphrase,
    });
  } catch (error) {
    const keys = transfers.map((transfer) => transfer.key);
    log.error(
      { err: error, transfers: keys },
      'these transfers make no valid transaction; a person has to look',
    );
    await deferTransfers(
      database,
      transfers.map((transfer) => transfer.id),
      'unbuildable',
      UNBUILDABLE_MS,
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
