import { randomUUID } from 'node:crypto';
import { Memo, Operation, type Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { findCursor } from '../../core/database/repositories/receipts.ts';
import { insertTransaction, type NewTransaction } from '../../core/database/repositories/transactions.ts';
import { recordPayments } from '../../core/payments/record.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { takeEffects, type EffectContext } from '../../workers/watch-transactions/effects.ts';
import { sdkAsset, succeed } from './ledger.ts';
import type { PaymentWorld } from './payments.ts';

let lastMemo = 0;

/** A withdrawal of 100 that waits for its tokens under a memo of its own. */
export function expectWithdrawal(
  world: PaymentWorld,
  changes: Partial<NewTransaction> = {},
): Promise<Transaction> {
  lastMemo += 1;
  const input = {
    id: randomUUID(),
    kind: 'withdrawal',
    status: 'pending_user_transfer_start',
    assetId: world.asset.id,
    subject: world.issuer.publicKey(),
    anchorAccount: world.distribution.publicKey(),
    withdrawMemo: String(lastMemo),
    amountExpected: parseAmount('100'),
    ...changes,
  } as const;
  return world.db.database.transaction().execute((trx) => insertTransaction(trx, input, 'test'));
}

/** A customer with 1,000 tokens. */
export async function rich(world: PaymentWorld): Promise<Keypair> {
  const [holder] = await world.holders(1);
  await succeed(
    world.ledger.run(world.issuer, [
      Operation.payment({
        destination: holder!.publicKey(),
        asset: sdkAsset(world.asset.id),
        amount: '1000',
      }),
    ]),
  );
  return holder!;
}

/** Pays to the distribution account, once for each amount, in one ledger transaction. */
export function payIn(world: PaymentWorld, holder: Keypair, memo: string | null, ...amounts: string[]) {
  const operations = amounts.map((amount) =>
    Operation.payment({
      destination: world.distribution.publicKey(),
      asset: sdkAsset(world.asset.id),
      amount,
    }),
  );
  return world.ledger.run(holder, operations, memo === null ? {} : { memo: Memo.id(memo) });
}

/** Records everything that came in since the cursor, as the watcher does. */
export async function recordAll(world: PaymentWorld): Promise<void> {
  const account = world.distribution.publicKey();
  const cursor = await findCursor(world.db.database, account);
  const payments = await world.horizon.payments(account, { cursor: cursor?.position ?? '0' });
  await recordPayments(world.context, account, payments);
}

/** A withdrawal whose tokens are received and recorded: the next effect processes it. */
export async function receivedWithdrawal(
  world: PaymentWorld,
  holder: Keypair,
  options: { readonly amount?: string; readonly changes?: Partial<NewTransaction> } = {},
): Promise<Transaction> {
  const withdrawal = await expectWithdrawal(world, options.changes);
  await succeed(payIn(world, holder, withdrawal.withdrawMemo, options.amount ?? '100'));
  await recordAll(world);
  return world.read(withdrawal.id);
}

/** Runs every effect that is not done, due or not. */
export async function runEffects(context: EffectContext): Promise<void> {
  const { database } = context;
  await sql`update task set next_attempt_at = clock_timestamp() - interval '1 second' where done_at is null`.execute(
    database,
  );
  const jobs = await takeEffects(context, 100);
  await Promise.all(jobs.map((job) => job()));
}
