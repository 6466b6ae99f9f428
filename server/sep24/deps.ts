import type { Database } from '../../core/database/database.ts';
import type { IntegrationClient } from '../../core/integration/client.ts';
import type { SessionKeyRing } from '../../core/keys/jwt.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import type { Links } from './links.ts';

export interface Sep24Deps {
  /** Read for every request; a server answers the spec that it started with, so that all its routes agree. */
  readonly anchor: () => Pick<Anchor, 'host' | 'assets' | 'payments' | 'server' | 'deadlines'>;
  readonly database: Database;
  readonly links: Links;
  /** The keys that sign SEP-10 tokens. */
  readonly sessionKeys: SessionKeyRing;
  /** Absent: the anchor's own fee schedules serve, and SEP-9 fields are not read. */
  readonly integration?: Pick<IntegrationClient, 'has' | 'call'>;
  /** A G… account; undefined when the ledger says that it does not exist. Absent: nobody looks. */
  readonly lookupAccount?: (account: string, signal: AbortSignal) => Promise<object | undefined>;
  readonly clock: Clock;
  /** New UUIDs. */
  readonly randomId: () => string;
}
