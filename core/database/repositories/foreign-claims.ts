import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database.ts';
import type { ForeignTransaction } from './journal.ts';

/** A claim by one of our accounts, in a transaction that the journal lacks. */
export interface ForeignClaim extends Pick<ForeignTransaction, 'hash' | 'closedAt'> {
  /** The account whose claim it is: of the operation, which need not be its transaction's. */
  readonly source: string;
}

/** What was taken back past the journal: statements for balances that lay on the ledger for a customer. */

/** The claim by which the account that laid a balance has it back; undefined when none is known. */
export async function foreignClaim(
  database: DatabaseTransaction,
  balanceId: string,
): Promise<ForeignClaim | undefined> {
  // Whichever account it is recorded under: one transaction may act for several of ours. The ledger lets a balance be claimed once.
  const { rows } = await sql<ForeignClaim>`
    select found.hash, found.closed_at, balance.account as source from claimable_balance as balance
    join foreign_transaction as found on found.successful
      and found.operations @> jsonb_build_array(jsonb_build_object(
        'type', 'claimClaimableBalance', 'source', balance.account, 'balanceId', balance.id))
    where balance.id = ${balanceId}`.execute(database);
  return rows[0];
}

/** The way back of a balance is over by that transaction, unless it is in a submission of ours. */
export async function settleReclaim(
  database: DatabaseTransaction,
  key: string,
  { hash, closedAt, source }: ForeignClaim,
): Promise<void> {
  await database
    .updateTable('transfer')
    .set({ state: 'settled', ledgerHash: hash, settledAt: closedAt, reason: null })
    .where('key', '=', key)
    .where('source', '=', source)
    .where('submissionId', 'is', null)
    .where('state', '<>', 'settled')
    .execute();
}
