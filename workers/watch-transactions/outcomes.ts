import { distributionAccounts, type LedgerContext } from '../../core/payments/context.ts';
import { settleSeen } from '../../core/payments/settle.ts';
import { inBatches } from './batches.ts';

/** A ledger's transactions come in one burst. */
const BURST = { most: 200, lingerMs: 20 } as const;
const AGAIN_MS = 5_000;

/**
 * Settles our submissions as the stream of transactions brings them, a batch of a hundred payments by one record, until
 * the signal aborts. It only saves look-ups: whatever it misses is looked up by its hash.
 *
 * @param onSeen called when an account has new transactions, ours or not
 */
export async function followOutcomes(
  context: LedgerContext,
  signal: AbortSignal,
  onSeen: () => void,
): Promise<void> {
  await Promise.all(
    distributionAccounts(context.anchor).map((account) => followOne(context, account, signal, onSeen)),
  );
}

async function followOne(
  context: LedgerContext,
  account: string,
  outer: AbortSignal,
  onSeen: () => void,
): Promise<void> {
  const { horizon, clock, log } = context;
  while (!outer.aborted) {
    const ending = new AbortController();
    const signal = AbortSignal.any([outer, ending.signal]);
    try {
      const stream = horizon.streamTransactions(account, { cursor: 'now', signal });
      for await (const batch of inBatches(stream, { ...BURST, clock })) {
        onSeen();
        await settleSeen(context, batch);
      }
    } catch (error) {
      if (!outer.aborted)
        log.warn({ err: error, account }, 'the stream of outcomes ended; they are looked up instead');
    } finally {
      ending.abort();
    }
    await clock.sleep(AGAIN_MS, outer);
  }
}
