import { defineEntity, p } from '@mikro-orm/core';

const time = () => p.datetime().columnType('timestamptz(3)');

/**
 * open: it lies on the ledger for the customer. reclaiming: its way back to us is queued. reclaimed: proven back with us.
 * gone: the ledger has it no more and it did not come back to us, so the customer has it (or its issuer clawed it back).
 */
export type ClaimableBalanceState = 'open' | 'reclaiming' | 'reclaimed' | 'gone';

/** A payout that lies on the ledger until its customer claims it (CAP-23), or we take it back. */
export const ClaimableBalanceEntity = defineEntity({
  name: 'ClaimableBalance',
  tableName: 'claimable_balance',
  properties: {
    /** Horizon's: 72 hex digits. */
    id: p.text().primary(),
    transactionId: p.uuid(),
    /** The distribution account that made it, sponsors its reserve and may take it back. */
    account: p.text(),
    assetId: p.text(),
    amount: p.bigint('bigint'),
    state: p.text().$type<ClaimableBalanceState>(),
    createdAt: time(),
    /** From when on the ledger lets us take it back. */
    reclaimAt: time(),
    /** Since when no Horizon that we asked has known it; one answer alone proves nothing. */
    missingAt: time().nullable(),
    finishedAt: time().nullable(),
  },
  indexes: [
    {
      name: 'claimable_balance_open',
      expression:
        'create index "claimable_balance_open" on "claimable_balance" ("reclaim_at") where "state" = \'open\'',
    },
    { name: 'claimable_balance_transaction', properties: ['transactionId'] },
  ],
});
