import { Migration } from '@mikro-orm/migrations';

/** Every table of ARCHITECTURE.md, "Tables". Applied migrations are never edited: the next change is a new file. */
export class Migration0001Initial extends Migration {
  override up(): void {
    this.addSql(`create table "attempt" (
      "submission_id" uuid not null,
      "operation_index" int not null,
      "transfer_id" uuid not null,
      "result" text null,
      primary key ("submission_id", "operation_index")
    )`);
    this.addSql(`create index "attempt_transfer" on "attempt" ("transfer_id")`);
    this.addSql(`create table "cursor" (
      "account" text not null,
      "network_passphrase" text not null,
      "position" text not null,
      "ledger" int not null,
      "updated_at" timestamptz(3) not null,
      primary key ("account")
    )`);
    this.addSql(`create table "event" (
      "id" bigserial primary key,
      "transaction_id" uuid null,
      "at" timestamptz(3) not null,
      "actor" text not null,
      "from_status" text null,
      "to_status" text null,
      "reason" text not null,
      "detail" jsonb null
    )`);
    this.addSql(`create index "event_transaction" on "event" ("transaction_id", "id")`);
    this.addSql(`create table "receipt" (
      "id" bigint not null,
      "account" text not null,
      "transaction_hash" text not null,
      "ledger" int not null,
      "closed_at" timestamptz(3) not null,
      "from_account" text not null,
      "from_muxed" text null,
      "to_muxed_id" numeric(20,0) null,
      "asset_id" text not null,
      "amount" bigint not null,
      "memo_type" text not null,
      "memo" text null,
      "state" text not null,
      "reason" text null,
      "transaction_id" uuid null,
      "is_alert" boolean not null default false,
      primary key ("id")
    )`);
    this.addSql(`create index "receipt_unmatched" on "receipt" ("id") where "state" = 'unmatched'`);
    this.addSql(`create index "receipt_hash" on "receipt" ("transaction_hash")`);
    this.addSql(
      `create unique index "receipt_transaction" on "receipt" ("transaction_id") where "state" = 'matched'`,
    );
    this.addSql(`create table "report" (
      "name" text not null,
      "at" timestamptz(3) not null,
      "body" jsonb not null,
      primary key ("name")
    )`);
    this.addSql(`create table "role" (
      "name" text not null,
      "holder" text not null,
      "token" uuid not null,
      "lease_until" timestamptz(3) not null,
      primary key ("name")
    )`);
    this.addSql(`create table "submission" (
      "id" uuid not null,
      "hash" text not null,
      "source" text not null,
      "sequence" bigint not null,
      "envelope" text not null,
      "min_time" bigint not null,
      "max_time" bigint not null,
      "fee_bid_per_operation" bigint not null,
      "operation_count" int not null,
      "state" text not null,
      "result_codes" jsonb null,
      "ledger" int null,
      "fee_charged" bigint null,
      "attempts" int not null default 0,
      "next_attempt_at" timestamptz(3) not null,
      "lease_token" uuid null,
      "lease_until" timestamptz(3) null,
      "created_at" timestamptz(3) not null,
      "finished_at" timestamptz(3) null,
      primary key ("id")
    )`);
    this.addSql(`alter table "submission" add constraint "submission_hash" unique ("hash")`);
    this.addSql(
      `create index "submission_pending" on "submission" ("next_attempt_at") where "state" = 'pending'`,
    );
    this.addSql(
      `create unique index "submission_source_in_flight" on "submission" ("source") where "state" = 'pending'`,
    );
    this.addSql(
      `create unique index "submission_sequence" on "submission" ("source", "sequence") where "state" <> 'expired'`,
    );
    this.addSql(`create table "suspension" (
      "scope" text not null,
      "reason" text not null,
      "actor" text not null,
      "since" timestamptz(3) not null,
      primary key ("scope")
    )`);
    this.addSql(`create table "task" (
      "id" uuid not null,
      "kind" text not null,
      "key" text not null,
      "transaction_id" uuid not null,
      "payload" jsonb null,
      "attempts" int not null default 0,
      "next_attempt_at" timestamptz(3) not null,
      "lease_token" uuid null,
      "lease_until" timestamptz(3) null,
      "last_error" text null,
      "created_at" timestamptz(3) not null,
      "done_at" timestamptz(3) null,
      "dead_at" timestamptz(3) null,
      primary key ("id")
    )`);
    this.addSql(`alter table "task" add constraint "task_key" unique ("key")`);
    this.addSql(
      `create index "task_open" on "task" ("kind", "next_attempt_at") where "done_at" is null and "dead_at" is null`,
    );
    this.addSql(`create index "task_transaction" on "task" ("transaction_id")`);
    this.addSql(`create index "task_dead" on "task" ("dead_at") where "dead_at" is not null`);
    this.addSql(`create table "transaction" (
      "id" uuid not null,
      "kind" text not null,
      "status" text not null,
      "version" int not null default 1,
      "asset_id" text not null,
      "subject" text not null,
      "client_domain" text null,
      "customer_id" text null,
      "quote_id" text null,
      "lang" text not null default 'en',
      "amount_expected" numeric(30,7) null,
      "amount_in" numeric(30,7) null,
      "amount_out" numeric(30,7) null,
      "amount_fee" numeric(30,7) null,
      "fee_details" jsonb null,
      "destination" text null,
      "destination_memo_type" text null,
      "destination_memo" text null,
      "claimable_balance_supported" boolean not null default false,
      "claimable_balance_id" text null,
      "source" text null,
      "anchor_account" text null,
      "withdraw_memo" numeric(20,0) null,
      "refund_memo_type" text null,
      "refund_memo" text null,
      "refunds" jsonb null,
      "transfer_received_at" timestamptz(3) null,
      "external_transaction_id" text null,
      "stellar_transaction_id" text null,
      "message" text null,
      "attention" text null,
      "instructions" jsonb null,
      "interactive_step" text null,
      "on_change_callback" text null,
      "callback" text null,
      "awaits_integration" boolean not null default false,
      "status_eta" int null,
      "user_action_required_by" timestamptz(3) null,
      "started_at" timestamptz(3) not null,
      "updated_at" timestamptz(3) not null,
      "completed_at" timestamptz(3) null,
      primary key ("id")
    )`);
    this.addSql(
      `create index "transaction_history" on "transaction" ("subject", "asset_id", "started_at" desc, "id" desc)`,
    );
    this.addSql(
      `create index "transaction_stellar_id" on "transaction" ("stellar_transaction_id") where "stellar_transaction_id" is not null`,
    );
    this.addSql(
      `create index "transaction_external_id" on "transaction" ("external_transaction_id") where "external_transaction_id" is not null`,
    );
    this.addSql(
      `create index "transaction_awaits_integration" on "transaction" ("kind", "id") where "awaits_integration"`,
    );
    this.addSql(
      `create index "transaction_deadline" on "transaction" ("user_action_required_by") where "user_action_required_by" is not null`,
    );
    this.addSql(
      `create index "transaction_attention" on "transaction" ("updated_at") where "attention" is not null`,
    );
    this.addSql(
      `create index "transaction_status" on "transaction" ("status", "updated_at") where "status" not in ('completed', 'refunded', 'expired')`,
    );
    this.addSql(
      `create unique index "transaction_withdraw_memo" on "transaction" ("anchor_account", "withdraw_memo") where "withdraw_memo" is not null`,
    );
    this.addSql(
      `create unique index "transaction_bank_reference" on "transaction" ("external_transaction_id") where "kind" = 'deposit' and "external_transaction_id" is not null`,
    );
    this.addSql(`create table "transfer" (
      "id" uuid not null,
      "key" text not null,
      "transaction_id" uuid not null,
      "purpose" text not null,
      "state" text not null,
      "reason" text null,
      "asset_id" text not null,
      "source" text not null,
      "destination" text not null,
      "memo_type" text null,
      "memo" text null,
      "amount" bigint not null,
      "operation" text not null default 'payment',
      "submission_id" uuid null,
      "attempts" int not null default 0,
      "next_attempt_at" timestamptz(3) not null,
      "created_at" timestamptz(3) not null,
      "settled_at" timestamptz(3) null,
      "ledger_hash" text null,
      primary key ("id")
    )`);
    this.addSql(`alter table "transfer" add constraint "transfer_key" unique ("key")`);
    this.addSql(
      `create index "transfer_open" on "transfer" ("source", "state", "next_attempt_at") where "state" in ('queued', 'waiting')`,
    );
    this.addSql(
      `create index "transfer_submission" on "transfer" ("submission_id") where "submission_id" is not null`,
    );
    this.addSql(`create index "transfer_transaction" on "transfer" ("transaction_id")`);
    this.addSql(
      `create index "transfer_settled" on "transfer" ("asset_id", "settled_at") where "settled_at" is not null`,
    );
    this.addSql(
      `create index "transfer_account_creation" on "transfer" ("created_at") where "operation" = 'createAccount'`,
    );
    this.addSql(
      `create index "transfer_waiting_destination" on "transfer" ("destination") where "state" = 'waiting'`,
    );
    this.addSql(`create table "used_token" (
      "id" text not null,
      "expires_at" timestamptz(3) not null,
      primary key ("id")
    )`);
    this.addSql(`create index "used_token_expiry" on "used_token" ("expires_at")`);
    // The audit is append-only (design 6.2): not even our own code may change the past.
    this.addSql(
      `create or replace function "event_is_append_only"() returns trigger as $$ begin raise exception 'events are append-only'; end; $$ language plpgsql`,
    );
    this.addSql(
      `create trigger "event_append_only" before update or delete or truncate on "event" for each statement execute function "event_is_append_only"()`,
    );
  }
}
