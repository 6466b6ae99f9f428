import type { DatabaseTransaction } from '../database/database.ts';
import { suspendMoney } from '../database/repositories/interventions.ts';
import { lockLimits } from '../database/repositories/money-locks.ts';
import { paidLately, type PaidLately, type Transfer } from '../database/repositories/transfers.ts';
import type { Asset } from '../spec/anchor.ts';
import { formatAmount, type Stroops } from '../transaction/amount.ts';
import { assetById, type PaymentContext } from './context.ts';

/** What the limits of a round's assets still let through, payout by payout. */
export interface Allowance {
  /** Takes it off. False, from then on for everything of the asset, once a payout is above a limit. */
  allows(transfer: Transfer): boolean;
  /** Suspends the assets that tripped, with the figures in the audit, and alerts; once the database transaction is over. */
  close(): Promise<void>;
}

/**
 * The limits per hour and day of the assets that are about to be paid (design 6.9), with what is settled or in flight
 * against them; for each asset that has a limit one statement, under a lock until the database transaction ends, so that what
 * another watcher journals is counted.
 *
 * @param trx journals what is allowed
 */
export async function openAllowance(
  context: PaymentContext,
  trx: DatabaseTransaction,
  planned: readonly Transfer[],
): Promise<Allowance> {
  const { anchor, database, actor, log } = context;
  const ids = new Set(planned.filter(({ purpose }) => purpose === 'payout').map(({ assetId }) => assetId));
  const assets = [...ids].flatMap((id) => assetById(anchor, id) ?? []).filter(isLimited);
  await lockLimits(
    trx,
    assets.map(({ id }) => id),
  );
  const limited = new Map<string, { readonly asset: Asset; readonly paid: PaidLately; taken: Stroops }>();
  for (const asset of assets)
    limited.set(asset.id, { asset, paid: await paidLately(trx, asset.id), taken: 0n });
  const tripped = new Map<string, string>();
  return {
    allows: ({ assetId, purpose, amount }) => {
      if (tripped.has(assetId)) return false;
      const known = limited.get(assetId);
      if (!known || purpose !== 'payout') return true;
      const reason = excessOf(known.asset, known.paid, known.taken + amount);
      if (reason !== undefined) tripped.set(assetId, reason);
      else known.taken += amount;
      return reason === undefined;
    },
    close: async () => {
      for (const [asset, reason] of tripped) {
        await suspendMoney(database, asset, { actor, reason });
        log.error({ asset, reason }, 'an asset reached a limit of its payouts and is suspended');
      }
    },
  };
}

const isLimited = ({ limits: { hourly, daily } }: Asset): boolean =>
  hourly !== undefined || daily !== undefined;

function excessOf({ limits }: Asset, paid: PaidLately, more: Stroops): string | undefined {
  const say = (period: string, sum: Stroops, limit: Stroops): string =>
    `payouts of ${formatAmount(sum)} within ${period} would exceed the limit of ${formatAmount(limit)}`;
  if (limits.hourly !== undefined && paid.hour + more > limits.hourly)
    return say('an hour', paid.hour + more, limits.hourly);
  if (limits.daily !== undefined && paid.day + more > limits.daily)
    return say('a day', paid.day + more, limits.daily);
  return undefined;
}
