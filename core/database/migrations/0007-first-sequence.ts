import { Migration } from '@mikro-orm/migrations';

/** Where an account's journal began, kept apart from what adoptions account for. Only adds: the release before runs on it. */
export class Migration0007FirstSequence extends Migration {
  override up(): void {
    this.addSql(`alter table "journal_mark" add column "first_sequence" bigint null`);
  }
}
