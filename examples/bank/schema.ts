/**
 * The books. What must never happen twice is a unique constraint: an incoming transfer's reference, a payout's and a
 * refund's idempotency key, one payout for a transaction. Amounts are decimal text, times milliseconds since the epoch.
 */
export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS customers (
    account TEXT NOT NULL,
    memo TEXT NOT NULL,
    number INTEGER NOT NULL UNIQUE,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account, memo)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS details (
    account TEXT NOT NULL,
    memo TEXT NOT NULL,
    answers TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account, memo)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS deposits (
    id TEXT PRIMARY KEY,
    asset TEXT NOT NULL,
    account TEXT NOT NULL,
    memo TEXT NOT NULL,
    payment_reference TEXT NOT NULL UNIQUE,
    expected TEXT,
    received TEXT,
    reference TEXT UNIQUE,
    received_at INTEGER,
    review TEXT CHECK (review IN ('held', 'approved', 'refused')),
    reason TEXT,
    paid_by TEXT,
    created_at INTEGER NOT NULL,
    CHECK ((received IS NULL) = (reference IS NULL))
  ) STRICT;
  CREATE TABLE IF NOT EXISTS payouts (
    idempotency_key TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    asset TEXT NOT NULL,
    account TEXT NOT NULL,
    memo TEXT NOT NULL,
    amount TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    done_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS refunds (
    idempotency_key TEXT PRIMARY KEY,
    id TEXT NOT NULL REFERENCES deposits (id),
    amount TEXT NOT NULL,
    reason TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS refunds_by_id ON refunds (id);
  CREATE TABLE IF NOT EXISTS authorizations (
    account TEXT NOT NULL,
    asset TEXT NOT NULL,
    id TEXT NOT NULL REFERENCES deposits (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account, asset)
  ) STRICT`;
