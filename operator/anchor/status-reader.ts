import type { Clock } from '../../core/runtime/clock.ts';
import { withDeadline } from '../../core/runtime/deadline.ts';
import { CapstanError, messageOf } from '../../core/runtime/errors.ts';
import { isRecord } from '../../core/spec/guards.ts';
import { readAnchorStatus, type AnchorStatus } from '../../core/status/document.ts';
import { hashOf } from '../resources/hash.ts';

/** What came of asking a server. */
export type Reading =
  | { readonly atMs: number; readonly status: AnchorStatus }
  | { readonly atMs: number; readonly error: string };

export interface StatusReaderOptions {
  readonly fetch: (url: string, init: { readonly signal: AbortSignal }) => Promise<Response>;
  /** Monotonic. */
  readonly clock: Clock;
  readonly random: () => number;
  /** Told when an answer differs in what matters from the one before. */
  readonly onChange: (key: string) => void;
  /** What matters of an answer. */
  readonly essence: (reading: Reading) => unknown;
  /** From one question to the next, while all is well. Default 15 s. */
  readonly intervalMs?: number;
  /** The same while something is not well, or not known yet. Default 3 s. */
  readonly hastyMs?: number;
}

/** Asks the servers of Anchors for their private status, each at its own pace, beside all reconciles. */
export interface StatusReader {
  /** Follows the server at `url` from now on. */
  follow(key: string, url: string, options: { readonly isHasty: boolean }): void;
  latest(key: string): Reading | undefined;
  /** Asks anew at once. */
  refresh(key: string): void;
  forget(key: string): void;
  close(): Promise<void>;
}

class StatusUnreadable extends CapstanError {
  constructor(why: string) {
    super('server_status', why);
  }
}

interface Followed {
  url: string;
  isHasty: boolean;
  latest?: Reading;
  essence?: string;
  wake: AbortController;
  readonly stop: AbortController;
}

const TIMEOUT_MS = 5_000;
/** One lost answer is no news. */
const GRACE_MS = 40_000;
const MOST_BYTES = 1_048_576;
/** Questions that are open at once: a network that swallows packets must not collect sockets. */
const MOST_OPEN = 50;

class Reader implements StatusReader {
  private readonly options: StatusReaderOptions;
  private readonly followed = new Map<string, Followed>();
  private readonly loops = new Set<Promise<void>>();
  private open = 0;

  constructor(options: StatusReaderOptions) {
    this.options = options;
  }

  follow(key: string, url: string, { isHasty }: { readonly isHasty: boolean }): void {
    const known = this.followed.get(key);
    if (known) {
      const isSooner = isHasty && !known.isHasty;
      Object.assign(known, { url, isHasty });
      if (isSooner) known.wake.abort();
      return;
    }
    const followed = { url, isHasty, wake: new AbortController(), stop: new AbortController() };
    this.followed.set(key, followed);
    const loop = this.loop(key, followed);
    this.loops.add(loop);
    void loop.finally(() => this.loops.delete(loop));
  }

  latest(key: string): Reading | undefined {
    return this.followed.get(key)?.latest;
  }

  refresh(key: string): void {
    this.followed.get(key)?.wake.abort();
  }

  forget(key: string): void {
    this.followed.get(key)?.stop.abort();
    this.followed.delete(key);
  }

  async close(): Promise<void> {
    for (const key of this.followed.keys()) this.forget(key);
    await Promise.all(this.loops);
  }

  private async loop(key: string, followed: Followed): Promise<void> {
    const { clock, random, intervalMs = 15_000, hastyMs = 3_000, onChange, essence } = this.options;
    const { signal } = followed.stop;
    while (!signal.aborted) {
      followed.wake = new AbortController();
      if (this.open < MOST_OPEN) {
        const reading = await this.ask(followed.url, signal);
        if (signal.aborted) return;
        if (!isOutlived(reading, followed.latest)) followed.latest = reading;
        const told = hashOf(essence(followed.latest ?? reading));
        if (told !== followed.essence) {
          followed.essence = told;
          onChange(key);
        }
      }
      const pauseMs = (followed.isHasty ? hastyMs : intervalMs) * (0.9 + 0.2 * random());
      await clock.sleep(pauseMs, AbortSignal.any([signal, followed.wake.signal]));
    }
  }

  private async ask(url: string, stop: AbortSignal): Promise<Reading> {
    const { clock, fetch } = this.options;
    const atMs = clock.now();
    const late = (): Error => new StatusUnreadable(`no answer within ${TIMEOUT_MS} ms`);
    this.open += 1;
    try {
      const status = await withDeadline({ clock, timeoutMs: TIMEOUT_MS, late }, async (signal) => {
        const answer = await fetch(url, { signal: AbortSignal.any([signal, stop]) });
        const text = await readText(answer);
        if (answer.status !== 200) throw new StatusUnreadable(`it answers ${answer.status}`);
        return readAnchorStatus(parse(text));
      });
      return { atMs, status };
    } catch (error) {
      return { atMs, error: describe(error) };
    } finally {
      this.open -= 1;
    }
  }
}

/** A failure is not taken while what was heard before is fresh. */
const isOutlived = (reading: Reading, before: Reading | undefined): boolean =>
  'error' in reading && before !== undefined && 'status' in before && reading.atMs - before.atMs < GRACE_MS;

/** @throws StatusUnreadable beyond a size that no status has */
async function readText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = answer.body?.getReader();
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
    const chunk: unknown = next.value;
    if (!ArrayBuffer.isView(chunk)) continue;
    size += chunk.byteLength;
    if (size > MOST_BYTES) {
      await reader?.cancel();
      throw new StatusUnreadable(`its answer is larger than ${MOST_BYTES} bytes`);
    }
    chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StatusUnreadable('its answer is no JSON');
  }
}

/** fetch hides what happened in its cause; a port differs from call to call and would look like news. */
function describe(error: unknown): string {
  const cause: unknown = isRecord(error) ? error['cause'] : undefined;
  const code = isRecord(cause) ? cause['code'] : undefined;
  return typeof code === 'string' ? code : messageOf(error).slice(0, 200);
}

export function createStatusReader(options: StatusReaderOptions): StatusReader {
  return new Reader(options);
}
