import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

export interface WatchOptions {
  /** Files that are looked at together: a certificate and its key change as one. */
  readonly paths: readonly string[];
  /** Called after their contents changed, never twice at once; what it throws is logged. */
  onChange(): Promise<void> | void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** What is compared in place of the contents of `paths`, whose directories are watched all the same. */
  readonly digest?: () => Promise<string>;
  /** How often the files are looked at even if the system reports nothing. Default 10,000. */
  readonly pollMs?: number;
  /** How long writers get to finish before the files are read. Default 100. */
  readonly settleMs?: number;
}

/** A digest of the contents; a file that is missing counts as such, so that it is noticed when it comes. */
async function fingerprint(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    const content = await readFile(path).catch(() => undefined);
    hash.update(content === undefined ? 'absent;' : `present:${content.length};`);
    if (content !== undefined) hash.update(content);
  }
  return hash.digest('hex');
}

/** Reports of the system about a directory; where it cannot be watched, polling alone serves. */
function watchDirectory(path: string, wake: () => void, log: Log): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, wake);
    watcher.on('error', (error) => {
      log.debug({ err: error, path }, 'the directory is polled only');
      watcher.close();
    });
    return watcher;
  } catch (error) {
    log.debug({ err: error, path }, 'the directory is polled only');
    return undefined;
  }
}

/** @param nextWake answers whether the system has reported something */
async function follow(options: WatchOptions, seen: string, nextWake: () => Promise<boolean>): Promise<void> {
  const { paths, signal, clock, log, settleMs = 100, digest = () => fingerprint(paths) } = options;
  let last = seen;
  while (!signal.aborted) {
    const isReported = await nextWake();
    if (signal.aborted) return;
    if (!isReported && (await digest()) === last) continue;
    await clock.sleep(settleMs, signal);
    if (signal.aborted) return;
    const now = await digest();
    if (now === last) continue;
    last = now;
    try {
      await options.onChange();
    } catch (error) {
      log.error({ err: error, paths }, 'a changed file could not be taken over');
    }
  }
}

/**
 * Watches files by their contents until `signal` aborts. It watches their directories, not the files, so that an
 * editor's rename and the symlink swap of a Kubernetes volume (`..data`) are seen; and it polls, for file systems that
 * report nothing. Resolves when it watches: what is read afterwards cannot change unseen.
 */
export async function watchFiles(options: WatchOptions): Promise<void> {
  const { paths, signal, clock, log, pollMs = 10_000, digest = () => fingerprint(paths) } = options;
  let wake = Promise.withResolvers<void>();
  const watchers = [...new Set(paths.map((path) => dirname(path)))].map((path) =>
    watchDirectory(path, () => wake.resolve(), log),
  );
  const nextWake = async (): Promise<boolean> => {
    const waited = new AbortController();
    const isReported = await Promise.race([
      wake.promise.then(() => true),
      clock.sleep(pollMs, AbortSignal.any([signal, waited.signal])).then(() => false),
    ]);
    waited.abort();
    wake = Promise.withResolvers<void>();
    return isReported;
  };
  signal.addEventListener('abort', () => watchers.forEach((watcher) => watcher?.close()), { once: true });
  const seen = await digest();
  void follow(options, seen, nextWake);
}
