import { Migration } from '@mikro-orm/migrations';

/**
 * Decisions of people about money that came in: a transfer may belong to a receipt instead of a transaction (money back
 * that no withdrawal knows), a refund may keep a fee, an event may tell of a receipt; and the newest transactions are
 * listed without sorting them all.
 *
 * It takes full locks: a plain check and plain indexes. All migrations of a release run in one database transaction, in
 * which `not valid` would lock no shorter and `concurrently` is not allowed; and no release before this one has rows in
 * these tables. From the first release on, a change that reads a large table gets a step of its own (ARCHITECTURE.md).
 */
export class Migration0003Decisions extends Migration {
  override up(): void {
    this.addSql(`alter table "transfer" alter column "transaction_id" drop not null`);
    this.addSql(`alter table "transfer" add column "receipt_id" bigint null`);
    this.addSql(`alter table "transfer" add column "fee" bigint not null default '0'`);
    this.addSql(
      `alter table "transfer" add constraint "transfer_owner" check (num_nonnulls(transaction_id, receipt_id) = 1)`,
    );
    this.addSql(
      `create unique index "transfer_receipt" on "transfer" ("receipt_id") where "receipt_id" is not null`,
    );
    this.addSql(`alter table "event" add column "receipt_id" bigint null`);
    this.addSql(
      `create index "event_receipt" on "event" ("receipt_id", "id") where "receipt_id" is not null`,
    );
    this.addSql(`create index "transaction_recent" on "transaction" ("updated_at", "id")`);
  }
}
