import type { Signer } from '../keys/ed25519.ts';
import { decodeMuxed, encodeAccount, isMuxed } from '../keys/strkey.ts';
import type { Horizon } from '../ledger/types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Anchor, Asset } from '../spec/anchor.ts';
import type { Database } from '../database/database.ts';
import type { LostClaims } from '../database/lost-claims.ts';
import type { JournalGuard } from './journal-guard.ts';
import type { SuspensionView } from './suspension.ts';

/** What is worked on in loops: transfers to be sent, submissions to be taken a step on, effects at the integration. */
export type Work = 'payments' | 'submissions' | 'effects';

/** What everything that looks at destinations needs; holds no seed. */
export interface LedgerContext {
  readonly database: Database;
  readonly horizon: Horizon;
  readonly anchor: Anchor;
  readonly clock: Clock;
  readonly log: Log;
  /** Named in the audit: `watcher`, `check-trustlines`. */
  readonly actor: string;
  /** Tells this process's own workers that there is something for them; only saves them the wait until they look by themselves. */
  readonly wake?: (work: Work) => void;
  /** What this process holds and does not work on. Default: such claims wait until their leases end. */
  readonly lost?: LostClaims;
  /** What the spec stops by now. Default: what it stopped when this context was made. */
  readonly suspension?: SuspensionView;
}

/** What the one process that owns the hot wallet has besides. */
export interface PaymentContext extends LedgerContext {
  /** By distribution account. */
  readonly signers: ReadonlyMap<string, Signer>;
  /** Nothing is paid from an account whose journal it has not compared yet. Default: none compares, only sequence numbers are. */
  readonly journal?: Pick<JournalGuard, 'isChecked'>;
  /** Aborted when this process is to journal nothing more: it ends, or stands by for another. Default: it goes on. */
  readonly ending?: AbortSignal;
}

export function assetById(anchor: Pick<Anchor, 'assets'>, id: string): Asset | undefined {
  return anchor.assets.find((asset) => asset.id === id);
}

/** The distribution accounts, each once, however many assets share one. */
export function distributionAccounts(anchor: Pick<Anchor, 'assets'>): readonly string[] {
  return [...new Set(anchor.assets.map((asset) => asset.distributionAccount))];
}

/** The G… account behind a G… or M… address. @throws {InvalidStrkey} */
export function baseAccount(address: string): string {
  return isMuxed(address) ? encodeAccount(decodeMuxed(address).key) : address;
}
