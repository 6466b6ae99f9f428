import { Migration } from '@mikro-orm/migrations';

/** Fee bumps, and what tells a complete journal from an incomplete one. Only adds: the release before runs on it. */
export class Migration0002CompleteJournal extends Migration {
  override up(): void {
    this.addSql(`alter table "submission" add column "alarmed_at" timestamptz(3) null`);
    this.addSql(`create table "submission_bump" (
      "hash" text not null,
      "submission_id" uuid not null,
      "envelope" text not null,
      "fee_bid_per_operation" bigint not null,
      "created_at" timestamptz(3) not null,
      primary key ("hash")
    )`);
    this.addSql(`create index "submission_bump_submission" on "submission_bump" ("submission_id")`);
    this.addSql(`create table "journal_mark" (
      "account" text not null,
      "distribution" text not null,
      "start_ledger" int not null,
      "sequence" bigint not null,
      "seen_sequence" bigint null,
      "position" text not null,
      "updated_at" timestamptz(3) not null,
      primary key ("account")
    )`);
    this.addSql(`create table "frozen_account" (
      "account" text not null,
      "kind" text not null,
      "reason" text not null,
      "since" timestamptz(3) not null,
      primary key ("account")
    )`);
    this.addSql(`create table "foreign_transaction" (
      "hash" text not null,
      "account" text not null,
      "source" text not null,
      "sequence" bigint not null,
      "ledger" int not null,
      "closed_at" timestamptz(3) not null,
      "successful" boolean not null,
      "memo_type" text not null,
      "memo" text null,
      "operations" jsonb not null,
      "seen_at" timestamptz(3) not null,
      "adopted_at" timestamptz(3) null,
      "adopted_by" text null,
      "adopted_reason" text null,
      primary key ("hash")
    )`);
    this.addSql(
      `create index "foreign_transaction_open" on "foreign_transaction" ("account") where "adopted_at" is null`,
    );
    this.addSql(
      `create index "foreign_transaction_sequence" on "foreign_transaction" ("account", "source", "sequence")`,
    );
    this.addSql(
      `create index "foreign_transaction_operations" on "foreign_transaction" using gin ("operations" jsonb_path_ops)`,
    );
    this.addSql(`create table "foreign_payment" (
      "hash" text not null,
      "operation_index" int not null,
      "account" text not null,
      "destination" text not null,
      "asset_id" text not null,
      "amount" bigint not null,
      "memo_type" text null,
      "memo" text null,
      primary key ("hash", "operation_index")
    )`);
    this.addSql(
      `create index "foreign_payment_like" on "foreign_payment" ("account", "destination", "asset_id", "amount")`,
    );
    this.addSql(`create table "reconciled_transfer" (
      "transfer_id" uuid not null,
      "verdict" text not null,
      "hash" text null,
      "operation_index" int null,
      "actor" text not null,
      "reason" text not null,
      "at" timestamptz(3) not null,
      primary key ("transfer_id")
    )`);
    this.addSql(
      `alter table "reconciled_transfer" add constraint "reconciled_transfer_payment" unique ("hash", "operation_index")`,
    );
  }
}
