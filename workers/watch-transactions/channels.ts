import { distributionAccounts, type PaymentContext } from '../../core/payments/context.ts';
import { keepChannels, type Upkeep } from '../../core/payments/keep-channels.ts';

const LOOK_MS = 60_000;
/** While something is under way: about a step a ledger. */
const STEP_MS = 2_000;
const UNDER_WAY: ReadonlySet<Upkeep> = new Set(['working', 'busy']);

/** Keeps as many channel accounts as the spec wants, with XLM for their fees, until the signal aborts. */
export async function followChannels(context: PaymentContext, signal: AbortSignal): Promise<void> {
  await Promise.all(distributionAccounts(context.anchor).map((account) => follow(context, account, signal)));
}

async function follow(context: PaymentContext, account: string, signal: AbortSignal): Promise<void> {
  const { anchor, clock, log } = context;
  while (!signal.aborted) {
    let upkeep: Upkeep | undefined;
    try {
      upkeep = await keepChannels(context, account, anchor.payments.channels);
    } catch (error) {
      log.warn({ err: error, account }, 'the upkeep of channel accounts failed; payments go on without');
    }
    await clock.sleep(upkeep && UNDER_WAY.has(upkeep) ? STEP_MS : LOOK_MS, signal);
  }
}
