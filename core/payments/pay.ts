import { randomUUID } from 'node:crypto';
import { inFlightSubmission, journalSubmission, lastSequence } from '../database/repositories/submissions.ts';
import { suspensions } from '../database/repositories/control.ts';
import { changeTransaction, findTransaction } from '../database/repositories/transactions.ts';
import { deferTransfers, dueTransfers, type Transfer } from '../database/repositories/transfers.ts';
import { buildPaymentTransaction, signEnvelope } from '../ledger/envelope.ts';
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

/** Sends what is due from every distribution account; answers how many transfers were submitted. */
export async function payDue(context: PaymentContext): Promise<number> {
  if (context.anchor.payments.suspended) return 0;
  const stopped = await suspensions(context.database);
  if (stopped.has('anchor')) return 0;
  const counts = await Promise.all(
    distributionAccounts(context.anchor).map(async (source) => {
      try {
        return await paySource(context, source, stopped);
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
  stopped: ReadonlyMap<string, string>,
): Promise<number> {
  const { database, horizon } = context;
  if (await inFlightSubmission(database, source)) return 0;
  const due = (await dueTransfers(database, source, ROUND_LIMIT)).filter(
    (transfer) => !stopped.has(transfer.assetId),
  );
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
      if (!(await isStillWanted(context, transfer))) return undefined;
      const check = await checkTransfer(context, transfer);
      if (check.ok) return transfer;
      await setAside(context, transfer, check);
      if (check.reason === 'no_account') await createAccountFirst(context, transfer);
      return undefined;
    }),
  );
  return checked.filter((transfer) => transfer !== undefined);
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
  const [first] = transfers;
  const built = buildPaymentTransaction({
    source,
    sequence: account.sequence + 1n,
    operations: transfers.map(toOperation),
    ...(first?.memo != null && first.memoType && { memo: { type: first.memoType, value: memoValue(first) } }),
    maxTime,
    feePerOperation: feeBid,
    passphrase: anchor.network.passphrase,
  });
  const signed = signEnvelope(built.envelope, anchor.network.passphrase, [signer]);
  await database.transaction().execute(async (trx) => {
    await journalSubmission(trx, {
      id: randomUUID(),
      hash: signed.hash,
      source,
      sequence: account.sequence + 1n,
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

/** Wallets give hash memos in base64 (SEP-24); envelopes are built from hexadecimal. */
function memoValue(transfer: Transfer): string {
  const memo = transfer.memo ?? '';
  return transfer.memoType === 'hash' || transfer.memoType === 'return'
    ? Buffer.from(memo, 'base64').toString('hex')
    : memo;
}
