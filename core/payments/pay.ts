import { frozenAccounts } from '../database/repositories/journal.ts';
import { inFlightOf } from '../database/repositories/submissions.ts';
import {
  deferTransfers,
  dueDestinations,
  dueTransfers,
  setTransferOperation,
  type Transfer,
} from '../database/repositories/transfers.ts';
import { messageOf } from '../runtime/errors.ts';
import { both, mapLimited } from './concurrency.ts';
import { baseAccount, distributionAccounts, type PaymentContext } from './context.ts';
import { checkTransfer, createAccountFirst, setAside } from './destinations.ts';
import { createLookups, type Lookups } from './lookups.ts';
import { fundsOf, planBatches, type Affordability } from './plan.ts';
import { createPauses, type Pauses } from './pauses.ts';
import { openRound, tellUnready } from './round.ts';
import { submitBatches } from './submit.ts';
import { withoutSuspects } from './suspects.ts';
import { stoppedMoney } from './suspension.ts';
import { stillWanted } from './wanted.ts';

/** Transfers looked at in one round of one account: a ledger's worth of operations. */
const ROUND_LIMIT = 1_000;
/** Transfers checked side by side. */
const CHECKS_AT_ONCE = 32;
/** Until what did not fit beside what is in flight is looked at again. */
const IN_FLIGHT_MS = 1_000;
const UNDERFUNDED_MS = 15_000;
/** Until a destination that could not be looked up is asked about again; others go before it meanwhile. */
const UNCHECKED_MS = 5_000;

/**
 * Sends what is due from every distribution account; answers how many transfers were submitted.
 *
 * @param pauses of the accounts that nothing could be sent from a moment ago; kept by whoever calls this in a loop
 * @param lookups of destinations; kept likewise
 */
export async function payDue(
  context: PaymentContext,
  pauses: Pauses = createPauses(context.clock),
  lookups: Lookups = createLookups(context),
): Promise<number> {
  const stopped = await stoppedMoney(context);
  if (stopped.isAll) return 0;
  const frozen = await frozenAccounts(context.database);
  const counts = await Promise.all(
    distributionAccounts(context.anchor).map(async (source) => {
      if (pauses.isPaused(source) || frozen.has(source)) return 0;
      try {
        if (context.journal && !(await context.journal.isChecked(source))) return 0;
        return await paySource(context, source, stopped.assets, { pauses, lookups });
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
  { pauses, lookups }: { readonly pauses: Pauses; readonly lookups: Lookups },
): Promise<number> {
  const { database, anchor } = context;
  // Read before the account is: what settles in between is then counted twice, never not at all.
  const inFlight = await inFlightOf(database, distribution);
  const most = Math.max(1, anchor.payments.channels);
  if (inFlight.sources.has(distribution) || inFlight.sources.size >= most) {
    await lookAhead(context, distribution, { most, stoppedAssets, lookups });
    return 0;
  }
  const due = await withoutSuspects(
    context,
    distribution,
    await dueTransfers(database, distribution, ROUND_LIMIT, stoppedAssets),
  );
  if (due.length === 0) return 0;
  // At once, because the channels wait for both.
  const planned = planBatches(due, most - inFlight.sources.size).flat();
  const [round, payable] = await both(
    openRound(context, distribution, lookups),
    stillWanted(context, planned).then((wanted) => payableOf(context, wanted, lookups)),
  );
  if (typeof round === 'string') {
    if (pauses.pause(distribution, round) && round !== 'busy') tellUnready(context, distribution, round);
    return 0;
  }
  pauses.clear(distribution);
  // Planned again: what was set aside leaves no hole in a batch, and some of the channels may not be usable.
  const free = round.sources.length;
  const wanted = planBatches(payable, free).flat();
  const funded = await fundedOf(context, distribution, fundsOf(round.account, inFlight), wanted);
  const batches = planBatches(funded, free).flatMap((transfers, index) => {
    const source = round.sources[index];
    return source ? [{ source, transfers }] : [];
  });
  return batches.length > 0 ? submitBatches(context, round, batches) : 0;
}

/** While all sources are in flight: asks about the destinations that come next, and waits for none of the answers. */
async function lookAhead(
  { database }: PaymentContext,
  distribution: string,
  {
    most,
    stoppedAssets,
    lookups,
  }: { readonly most: number; readonly stoppedAssets: readonly string[]; readonly lookups: Lookups },
): Promise<void> {
  const due = await dueDestinations(database, distribution, ROUND_LIMIT, stoppedAssets);
  const next = planBatches(due, most).flat();
  for (const address of new Set(next.map(({ destination }) => baseAccount(destination))))
    if (!lookups.has(address)) void lookups.account(address).catch(() => undefined);
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

/** Those whose destination can be paid; the rest is set aside. */
async function payableOf(
  context: PaymentContext,
  transfers: readonly Transfer[],
  lookups: Lookups,
): Promise<readonly Transfer[]> {
  const checked = await mapLimited(transfers, CHECKS_AT_ONCE, async (transfer) => {
    try {
      return await readied(context, transfer, lookups);
    } catch (error) {
      // One destination that cannot be looked up holds up nobody behind it.
      context.log.warn({ err: error, transfer: transfer.key }, 'a destination could not be checked');
      await deferTransfers(context.database, [transfer.id], 'unchecked', UNCHECKED_MS);
      return undefined;
    }
  });
  return checked.filter((transfer) => transfer !== undefined);
}

/** What stands against a payment may have been removed since it was looked up ahead: then it is looked up again. */
async function checkAnew(
  context: PaymentContext,
  transfer: Transfer,
  lookups: Lookups,
): ReturnType<typeof checkTransfer> {
  const address = baseAccount(transfer.destination);
  const wasKnown = lookups.has(address);
  const check = await checkTransfer(context, transfer, lookups);
  if (check.ok) return check;
  lookups.forget(address);
  return wasKnown ? checkTransfer(context, transfer) : check;
}

/** The transfer as it is to be paid now, or undefined. */
async function readied(
  context: PaymentContext,
  transfer: Transfer,
  lookups: Lookups,
): Promise<Transfer | undefined> {
  const check = await checkAnew(context, transfer, lookups);
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
