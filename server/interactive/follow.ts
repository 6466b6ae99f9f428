import type { Database } from '../../core/database/database.ts';
import { versionsOf } from '../../core/database/repositories/status-changes.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Log } from '../../core/runtime/log.ts';

/** Called when the transaction has another version than the follower knew. */
type Heard = (version: number) => void;

/** Tells open pages about changes of their transactions: one statement a second for all pages of this process. */
export interface Follower {
  /** @returns undefined where too many pages follow already: they can ask by themselves */
  follow(transactionId: string, version: number, heard: Heard): (() => void) | undefined;
}

const INTERVAL_MS = 1_000;
/** Of one process. Each is an open connection. */
const MOST_PAGES = 2_000;

interface Page {
  readonly transactionId: string;
  readonly heard: Heard;
  version: number;
}

export function createFollower({
  database,
  clock,
  log,
}: {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
}): Follower {
  const pages = new Set<Page>();
  let isRunning = false;

  const tell = async (): Promise<void> => {
    const versions = await versionsOf(database, [...new Set([...pages].map((page) => page.transactionId))]);
    for (const page of pages) {
      const version = versions.get(page.transactionId);
      if (version === undefined || version === page.version) continue;
      page.version = version;
      page.heard(version);
    }
  };
  const run = async (): Promise<void> => {
    while (pages.size > 0) {
      await clock.sleep(INTERVAL_MS);
      try {
        await tell();
      } catch (error) {
        log.warn({ err: error }, 'open pages could not be told about changes; tried again in a second');
      }
    }
    isRunning = false;
  };
  return {
    follow(transactionId, version, heard) {
      if (pages.size >= MOST_PAGES) return undefined;
      const page: Page = { transactionId, version, heard };
      pages.add(page);
      if (!isRunning) {
        isRunning = true;
        void run();
      }
      return () => void pages.delete(page);
    },
  };
}
