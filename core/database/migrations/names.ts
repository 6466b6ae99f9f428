/** Where applied migrations are listed. */
export const MIGRATIONS_TABLE = 'schema_migration';

/** The migration that this release needs; names sort by time. Kept apart so that processes need not load the ORM. */
export const LATEST_MIGRATION = 'Migration0007FirstSequence';
