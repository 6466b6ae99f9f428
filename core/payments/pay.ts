import { inFlightOf } from '../database/repositories/submissions.ts';
import { findTransaction } from '../database/repositories/transactions.ts';
import {
  deferTransfers,
  dueTransfers,
  setTransferOperation,
  type Transfer,
} from '../database/repositories/transfers.ts';
import { messageOf } from '../runtime/errors.ts';
import { isAllowed } from '../transaction/status.ts';
import { isFunded } from '../transaction/transaction.ts';
import { mapLimited } from './concurrency.ts';
import { distributionAccounts, type PaymentContext } from './context.ts';
import { checkTransfer, createAccountFirst, setAside } from './destinations.ts';
import { openAllowance } from './limits.ts';
import { fundsOf, planBatches, type Affordability } from './plan.ts';
import { createPauses, type Pauses } from './pauses.ts';
import { openRound, tellUnready } from './round.ts';
import { submitTransfers } from './submit.ts';
import { stoppedMoney } from './suspension.ts';

/** Transfers looked at in one round of one account: a ledger's worth of operations. */
const ROUND_LIMIT = 1_000;
/** Batches checked and journalled side by side, and destinations looked up for each at a time. */
const BATCHES_AT_ONCE = 4;
const CHECKS_AT_ONCE = 3;
/** Until what did not fit beside what is in flight is looked at again. */
const IN_FLIGHT_MS = 1_000;
const UNDERFUNDED_MS = 15_000;
/** Until a destination that could not be looked up is asked about again; others go before it meanwhile. */
const UNCHECKED_MS = 5_000;

/**
 * Sends what is due from every distribution account; answers how many transfers were submitted.
 *
 * @param pauses of the accounts that nothing could be sent from a moment ago; kept by whoever calls this in a loop
 */
export async function payDue(
  context: PaymentContext,
  pauses: Pauses = createPauses(context.clock),
): Promise<number> {
  const stopped = await stoppedMoney(context);
  if (stopped.isAll) return 0;
  const counts = await Promise.all(
    distributionAccounts(context.anchor).map(async (source) => {
      if (pauses.isPaused(source)) return 0;
      try {
        return await paySource(context, source, stopped.assets, pauses);
      } catch (error) {
        const isNew = pauses.pause(source, messageOf(error));
        context.log[isNew ? 'error' : 'debug'](
          { err: error, account: source },
          'paying from an account failed; it goes on later',
        );
        return 0;
      }
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * One round of a distribution account: batches of what is due, one over each of its channels that is free, or one over
 * the account itself as long as it has no channels.
 */
async function paySource(
  context: PaymentContext,
  distribution: string,
  stoppedAssets: readonly string[],
  pauses: Pauses,
): Promise<number> {
  const { database, anchor } = context;
  // Read before the account is: what settles in between is then counted twice, never not at all.
  const inFlight = await inFlightOf(database, distribution);
  const most = Math.max(1, anchor.payments.channels);
  if (inFlight.sources.has(distribution) || inFlight.sources.size >= most) return 0;
  const due = await dueTransfers(database, distribution, ROUND_LIMIT, stoppedAssets);
  if (due.length === 0) return 0;
  const round = await openRound(context, distribution);
  if (typeof round === 'string') {
    if (pauses.pause(distribution, round) && round !== 'busy') tellUnready(context, distribution, round);
    return 0;
  }
  pauses.clear(distribution);
  const funds = fundsOf(round.account, inFlight.amounts);
  const allowance = await openAllowance(context, due);
  const batches = planBatches(due, round.sources.length);
  const counts = await mapLimited(batches, BATCHES_AT_ONCE, async (batch, index) => {
    const source = round.sources[index];
    const funded = await fundedOf(context, distribution, funds, await payableOf(context, batch));
    const payable = funded.filter((transfer) => allowance.allows(transfer));
    return source && payable.length > 0 ? submitTransfers(context, round, source, payable) : 0;
  });
  await allowance.close();
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Those that the account can pay; the rest waits, with an alarm where it is not only for what is in flight. */
async function fundedOf(
  { database, log }: PaymentContext,
  distribution: string,
  funds: ReturnType<typeof fundsOf>,
  payable: readonly Transfer[],
): Promise<readonly Transfer[]> {
  const judged = payable.map((transfer) => ({ transfer, verdict: funds(transfer) }));
  const those = (wanted: Affordability): Transfer[] =>
    judged.filter(({ verdict }) => verdict === wanted).map(({ transfer }) => transfer);
  const idsOf = (transfers: readonly Transfer[]): string[] => transfers.map(({ id }) => id);
  const short = those('short');
  if (short.length > 0) {
    log.error(
      { account: distribution, transfers: short.length },
      'the hot wallet is short of funds; top it up',
    );
    await deferTransfers(database, idsOf(short), 'underfunded', UNDERFUNDED_MS);
  }
  const later = those('later');
  if (later.length > 0) await deferTransfers(database, idsOf(later), 'funds_in_flight', IN_FLIGHT_MS);
  return those('affordable');
}

/** Those whose destination can be paid and whose transaction is still to be paid; the rest is set aside. */
async function payableOf(context: PaymentContext, batch: readonly Transfer[]): Promise<readonly Transfer[]> {
  const checked = await mapLimited(batch, CHECKS_AT_ONCE, async (transfer) => {
    try {
      return await readied(context, transfer);
    } catch (error) {
      // One destination that cannot be looked up holds up nobody behind it.
      context.log.warn({ err: error, transfer: transfer.key }, 'a destination could not be checked');
      await deferTransfers(context.database, [transfer.id], 'unchecked', UNCHECKED_MS);
      return undefined;
    }
  });
  return checked.filter((transfer) => transfer !== undefined);
}

/** The transfer as it is to be paid now, or undefined. */
async function readied(context: PaymentContext, transfer: Transfer): Promise<Transfer | undefined> {
  if (!(await isStillWanted(context, transfer))) return undefined;
  const check = await checkTransfer(context, transfer);
  if (check.ok) {
    const { operation } = check;
    if (operation !== transfer.operation)
      await setTransferOperation(context.database, transfer.id, operation);
    return { ...transfer, operation };
  }
  await setAside(context, transfer, check);
  if (check.reason === 'no_account') await createAccountFirst(context, transfer);
  return undefined;
}

async function isStillWanted(context: PaymentContext, transfer: Transfer): Promise<boolean> {
  if (transfer.purpose === 'accountCreation' || transfer.receiptId !== null) return true;
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
