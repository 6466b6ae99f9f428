import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
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

/** A digest of the contents; a file that is missing counts as such, so that it is noticed when it comes. `isRead`: all that there is. */
async function fingerprint(
  paths: readonly string[],
): Promise<{ readonly digest: string; readonly isRead: boolean }> {
  const hash = createHash('sha256');
  let isRead = true;
  for (const path of paths) {
    const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') isRead = false;
    });
    hash.update(content === undefined ? 'absent;' : `present:${content.length};`);
    if (content !== undefined) hash.update(content);
  }
  return { digest: hash.digest('hex'), isRead };
}

/** Changes with every write, rename and swapped link. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = paths.map(async (path) => {
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    return found && [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(':');
  });
  return (await Promise.all(stamps)).join(';');
}

/** Given as the reason because an abort without one makes an error with a stack each time. */
const REPORTED = Symbol('reported');
/** Two writes so close may leave the same stamp: the clocks of some file systems count seconds. */
const SAME_STAMP_MS = 2_000;

/** The same digest, for less: contents are read no more once they were read a while after the files were last changed. */
function createFingerprint(paths: readonly string[], clock: Clock): () => Promise<string> {
  let last:
    | { readonly stamp: string; readonly sinceMs: number; readonly readMs: number; readonly digest: string }
    | undefined;
  return async () => {
    const readMs = clock.monotonic();
    // Before the contents: what is written while they are read is read at the next look.
    const stamp = await stampOf(paths);
    if (last?.stamp === stamp && last.readMs - last.sinceMs >= SAME_STAMP_MS) return last.digest;
    const sinceMs = last?.stamp === stamp ? last.sinceMs : readMs;
    const { digest, isRead } = await fingerprint(paths);
    last = isRead ? { stamp, sinceMs, readMs, digest } : undefined;
    return digest;
  };
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
async function follow(
  options: WatchOptions & Required<Pick<WatchOptions, 'digest'>>,
  seen: string,
  nextWake: () => Promise<boolean>,
): Promise<void> {
  const { paths, signal, clock, log, digest, settleMs = 100 } = options;
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
  const { paths, signal, clock, log, pollMs = 10_000, digest = createFingerprint(paths, clock) } = options;
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
    waited.abort(REPORTED);
    wake = Promise.withResolvers<void>();
    return isReported;
  };
  signal.addEventListener('abort', () => watchers.forEach((watcher) => watcher?.close()), { once: true });
  const seen = await digest();
  void follow({ ...options, digest }, seen, nextWake);
}
