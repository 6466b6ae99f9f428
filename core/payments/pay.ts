import { randomUUID } from 'node:crypto';
import { inFlightSubmission, journalSubmission, lastSequence } from '../database/repositories/submissions.ts';
import { suspensions } from '../database/repositories/control.ts';
import { changeTransaction, findTransaction } from '../database/repositories/transactions.ts';
import { deferTransfers, dueTransfers, type Transfer } from '../database/repositories/transfers.ts';
import {
  buildPaymentTransaction,
  signEnvelope,
  type BuiltTransaction,
  type PaymentTransaction,
} from '../ledger/envelope.ts';
import type { LedgerAccount } from '../ledger/types.ts';
import { isAllowed } from '../transaction/status.ts';
import { isFunded } from '../transaction/transaction.ts';
import { distributionAccounts, type PaymentContext } from './context.ts';
import { checkTransfer, createAccountFirst, setAside } from './destinations.ts';
import { bidFor, nextBatch, toOperation, trimToFunds } from './plan.ts';

/** Transfers looked at in one round of one account: one transaction's worth. */
const ROUND_LIMIT = 100;
/** How long a submission may become part of the ledger, by the ledger's clock. */
const VALIDITY_S = 60;
const UNDERFUNDED_MS = 15_000;
/** Until a destination that could not be looked up is asked about again; others go before it meanwhile. */
const UNCHECKED_MS = 5_000;
const UNBUILDABLE_MS = 300_000;

/** Sends what is due from every distribution account; answers how many transfers were submitted. */
export async function payDue(context: PaymentContext): Promise<number> {
  if (context.anchor.payments.suspended) return 0;
  const stopped = await suspensions(context.database);
  if (stopped.has('anchor')) return 0;
  const suspended = context.anchor.assets.filter((asset) => asset.suspended).map((asset) => asset.id);
  const stoppedAssets = [...stopped.keys(), ...suspended];
  const counts = await Promise.all(
    distributionAccounts(context.anchor).map(async (source) => {
      try {
        return await paySource(context, source, stoppedAssets);
      } catch (error) {
        context.log.error({ err: error, account: source }, 'paying from an account failed; it goes on later');
        return 0;
      }
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function paySource(
  context: PaymentContext,
  source: string,
  stoppedAssets: readonly string[],
): Promise<number> {
  const { database, horizon } = context;
  if (await inFlightSubmission(database, source)) return 0;
  const due = await dueTransfers(database, source, ROUND_LIMIT, stoppedAssets);
  const batch = nextBatch(due);
  if (batch.length === 0) return 0;
  const payable = await payableOf(context, batch);
  if (payable.length === 0) return 0;
  const { account } = await horizon.account(source);
  if (!account) {
    context.log.error({ account: source }, 'the distribution account does not exist on the ledger; fund it');
    return 0;
  }
  const { affordable, short } = trimToFunds(payable, account);
  if (short.length > 0) {
    context.log.error(
      { account: source, transfers: short.length },
      'the hot wallet is short of funds; top it up',
    );
    await deferTransfers(
      database,
      short.map((transfer) => transfer.id),
      'underfunded',
      UNDERFUNDED_MS,
    );
  }
  return affordable.length === 0 ? 0 : submit(context, account, affordable);
}

/** Those whose destination can be paid and whose transaction is still to be paid; the rest is set aside. */
async function payableOf(context: PaymentContext, batch: readonly Transfer[]): Promise<readonly Transfer[]> {
  const checked = await Promise.all(
    batch.map(async (transfer) => {
      try {
        return (await isPayable(context, transfer)) ? transfer : undefined;
      } catch (error) {
        // One destination that cannot be looked up holds up nobody behind it.
        context.log.warn({ err: error, transfer: transfer.key }, 'a destination could not be checked');
        await deferTransfers(context.database, [transfer.id], 'unchecked', UNCHECKED_MS);
        return undefined;
      }
    }),
  );
  return checked.filter((transfer) => transfer !== undefined);
}

async function isPayable(context: PaymentContext, transfer: Transfer): Promise<boolean> {
  if (!(await isStillWanted(context, transfer))) return false;
  const check = await checkTransfer(context, transfer);
  if (check.ok) return true;
  await setAside(context, transfer, check);
  if (check.reason === 'no_account') await createAccountFirst(context, transfer);
  return false;
}

async function isStillWanted(context: PaymentContext, transfer: Transfer): Promise<boolean> {
  if (transfer.purpose === 'accountCreation') return true;
  const transaction = await findTransaction(context.database, transfer.transactionId);
  if (transaction) {
    const situation = { kind: transaction.kind, status: transaction.status, isFunded: isFunded(transaction) };
    if (situation.isFunded && isAllowed(situation, 'pending_stellar')) return true;
  }
  await deferTransfers(
    context.database,
    [transfer.id],
    `transaction is ${transaction?.status ?? 'missing'}`,
    60_000,
  );
  return false;
}

/** Journals the signed envelope with its transfers and their new status in one database transaction: intent before effect. */
async function submit(
  context: PaymentContext,
  account: LedgerAccount,
  transfers: readonly Transfer[],
): Promise<number> {
  const { database, horizon, anchor, actor, log } = context;
  const source = account.id;
  const last = await lastSequence(database, source);
  if (last !== undefined && account.sequence < last) {
    log.debug({ account: source }, 'this Horizon has not seen our last submission yet');
    return 0;
  }
  const signer = context.signers.get(source);
  if (!signer) throw new Error(`no seed for ${source}`);
  const [close, stats] = await Promise.all([horizon.latestLedger(), horizon.feeStats()]);
  const maxTime = BigInt(Math.floor(close.closedAtMs / 1000) + VALIDITY_S);
  const feeBid = bidFor(stats, anchor.payments.maxFeeStroops);
  const sequence = account.sequence + 1n;
  const built = await build(context, transfers, { source, sequence, maxTime, feePerOperation: feeBid });
  if (!built) return 0;
  const signed = signEnvelope(built.envelope, anchor.network.passphrase, [signer]);
  await database.transaction().execute(async (trx) => {
    await journalSubmission(trx, {
      id: randomUUID(),
      hash: signed.hash,
      source,
      sequence,
      envelope: signed.envelope,
      minTime: 0n,
      maxTime,
      feeBidPerOperation: feeBid,
      transferIds: transfers.map((transfer) => transfer.id),
    });
    for (const transfer of transfers) {
      const transaction = await findTransaction(trx, transfer.transactionId);
      if (!transaction || transfer.purpose === 'accountCreation') continue;
      await changeTransaction(trx, transaction, {
        status: 'pending_stellar',
        actor,
        reason: 'submitted to the ledger',
        detail: { hash: signed.hash, transfer: transfer.key },
      });
    }
  });
  log.info(
    { submission: signed.hash, account: source, transfers: transfers.length },
    'journalled a submission',
  );
  return transfers.length;
}

/** Undefined where the protocol does not allow it (a memo too long, say): those wait for a person, not the queue for them. */
async function build(
  { database, anchor, log }: PaymentContext,
  transfers: readonly Transfer[],
  frame: Pick<PaymentTransaction, 'source' | 'sequence' | 'maxTime' | 'feePerOperation'>,
): Promise<BuiltTransaction | undefined> {
  const [first] = transfers;
  try {
    return buildPaymentTransaction({
      ...frame,
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
