import pg from 'pg';
import type { Premises } from '../test/support/premises.ts';
import { fundWallets } from './wallets.ts';

export type PendingKind = 'awaiting the integration' | 'awaiting a trustline';

/** Customers without the trustline; each waits for many deposits, as the ledger is asked about each of these anyway. */
const CUSTOMERS = 200;

/** Puts so many deposits into the state in which a worker looks at each in every pass and nothing comes of it. */
export async function fillPending(
  { databaseUrl, horizon, anchor }: Premises,
  { kind, count, assetId }: { readonly kind: PendingKind; readonly count: number; readonly assetId: string },
): Promise<void> {
  const customers = (await fundWallets(horizon, CUSTOMERS)).map(({ account }) => account);
  const isFunded = kind === 'awaiting a trustline';
  const [asset] = anchor.assets;
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `insert into transaction (id, kind, status, asset_id, subject, destination, amount_expected, amount_in, amount_out, amount_fee,
         transfer_received_at, external_transaction_id, awaits_integration, user_action_required_by, started_at, updated_at)
       select gen_random_uuid(), 'deposit', case when $4 then 'pending_trust' else 'pending_user_transfer_start' end, $1, account, account,
         100, case when $4 then 100 end, case when $4 then 98.5 end, case when $4 then 1.5 end,
         case when $4 then now() end, case when $4 then 'BANK-' || n end, not $4, now() + interval '3 days', now(), now()
       from generate_series(1, $2::int) as n, lateral (select ($3::text[])[1 + n % $5::int] as account) as customer`,
      [assetId, count, customers, isFunded, CUSTOMERS],
    );
    if (isFunded) {
      await client.query(
        `insert into transfer (id, key, transaction_id, purpose, state, reason, asset_id, source, destination, amount, next_attempt_at, created_at)
         select gen_random_uuid(), 'payout:' || id, id, 'payout', 'waiting', 'no_trustline', asset_id, $1, destination, 985000000, now(), now()
         from transaction where status = 'pending_trust'`,
        [asset?.distributionAccount],
      );
    }
    await client.query('vacuum analyze transaction, transfer');
  } finally {
    await client.end();
  }
}
