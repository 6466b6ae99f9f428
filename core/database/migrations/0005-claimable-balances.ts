import { Migration } from '@mikro-orm/migrations';

/**
 * Payouts that lie on the ledger to be claimed, and their way back when nobody claims them; what cannot be sent back is
 * found. Plain indexes: see 0003.
 */
export class Migration0005ClaimableBalances extends Migration {
  override up(): void {
    this.addSql(`create table "claimable_balance" (
      "id" text not null,
      "transaction_id" uuid not null,
      "account" text not null,
      "asset_id" text not null,
      "amount" bigint not null,
      "state" text not null,
      "created_at" timestamptz(3) not null,
      "reclaim_at" timestamptz(3) not null,
      "missing_at" timestamptz(3) null,
      "finished_at" timestamptz(3) null,
      primary key ("id")
    )`);
    this.addSql(
      `create index "claimable_balance_open" on "claimable_balance" ("reclaim_at") where "state" = 'open'`,
    );
    this.addSql(`create index "claimable_balance_transaction" on "claimable_balance" ("transaction_id")`);
    this.addSql(`alter table "transfer" add column "claimable_balance_id" text null`);
    this.addSql(`alter table "transfer" add column "claimable_at" timestamptz(3) null`);
    this.addSql(
      `create index "transfer_claimable" on "transfer" ("claimable_at") where "operation" = 'createClaimableBalance'`,
    );
    this.addSql(`create index "receipt_refunding" on "receipt" ("id") where "state" = 'refunding'`);
  }
}
