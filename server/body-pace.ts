import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createBell } from '../core/runtime/bell.ts';
import type { Clock } from '../core/runtime/clock.ts';
import { mayTakeTime } from './request.ts';

/** How long a body may take to arrive, so that nobody holds a connection for nothing (slowloris). */
export interface Pace {
  /** Of any body but an upload, as a whole. */
  readonly ordinaryMs: number;
  /** An upload gets so long before its rate counts. */
  readonly graceMs: number;
  /** The least that an upload brings on average after that. */
  readonly bytesPerSecond: number;
  /** The longest that an upload brings nothing at all. */
  readonly silenceMs: number;
  /** The longest that an upload may take, at any rate. */
  readonly longestMs: number;
  /** How long what still comes behind a refusal is discarded: closed at once, its sender might find a reset in place of the answer. */
  readonly lingerMs: number;
  /** How often is looked while a body comes. */
  readonly tickMs: number;
}

/** A file of 10 MB gets through at 70 kbit/s, the least rate of a mobile network that still feels like one. */
export const BODY_PACE: Pace = {
  ordinaryMs: 30_000,
  graceMs: 30_000,
  bytesPerSecond: 8_192,
  silenceMs: 30_000,
  longestMs: 20 * 60_000,
  lingerMs: 2_000,
  tickMs: 1_000,
};

/** What was seen of a body until now. */
export interface Progress {
  readonly isUpload: boolean;
  /** Since its first byte, and how much of that we did not read because the integration was busy with what is here. */
  readonly elapsedMs: number;
  readonly oursMs: number;
  /** Since the last byte, without the time that we did not read. */
  readonly silentMs: number;
  readonly bytes: number;
}

/** Whether a body that is not here yet comes too slowly to be waited for. */
export function isTooSlow({ isUpload, elapsedMs, oursMs, silentMs, bytes }: Progress, pace: Pace): boolean {
  if (!isUpload) return elapsedMs >= pace.ordinaryMs;
  if (elapsedMs >= pace.longestMs || silentMs >= pace.silenceMs) return true;
  const countedMs = elapsedMs - oursMs - pace.graceMs;
  return countedMs > 0 && bytes < (countedMs / 1_000) * pace.bytesPerSecond;
}

interface Body {
  readonly res: ServerResponse;
  readonly startedAtMs: number;
  readonly startedAtBytes: number;
  oursMs: number;
  silentMs: number;
  bytes: number;
  /** Since the answer began. */
  answeredMs: number;
  isRefused: boolean;
}

export interface Pacer {
  readonly handler: RequestListener;
  /** Looks after the bodies until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>;
}

/** Cuts off requests whose body comes too slowly. Node's own limit is one for all requests, and knows no progress. */
export function paceBodies(
  handler: RequestListener,
  { clock, pace, refuse }: { clock: Clock; pace: Pace; refuse: (res: ServerResponse) => void },
): Pacer {
  const coming = new Map<IncomingMessage, Body>();
  const bell = createBell(clock);
  const look = (req: IncomingMessage, body: Body, passedMs: number): void => {
    if (body.res.headersSent) {
      // What comes now is discarded, and not for ever.
      body.answeredMs += passedMs;
      if (body.answeredMs >= (body.isRefused ? pace.lingerMs : pace.ordinaryMs)) req.socket.destroy();
      return;
    }
    const bytes = req.socket.bytesRead - body.startedAtBytes;
    const isOurs = req.isPaused();
    if (isOurs) body.oursMs += passedMs;
    else body.silentMs = bytes > body.bytes ? 0 : body.silentMs + passedMs;
    body.bytes = bytes;
    const elapsedMs = clock.monotonic() - body.startedAtMs;
    const { oursMs, silentMs } = body;
    if (!isTooSlow({ isUpload: mayTakeTime(req), elapsedMs, oursMs, silentMs, bytes }, pace)) return;
    body.isRefused = true;
    refuse(body.res);
  };
  return {
    handler(req, res) {
      if (hasBody(req)) {
        const startedAtBytes = req.socket.bytesRead;
        const fresh = {
          startedAtMs: clock.monotonic(),
          startedAtBytes,
          oursMs: 0,
          silentMs: 0,
          bytes: 0,
          answeredMs: 0,
          isRefused: false,
        };
        coming.set(req, { res, ...fresh });
        bell.ring();
        req.once('close', () => coming.delete(req));
        res.once('finish', () => discardRest(req));
      }
      handler(req, res);
    },
    async watch(signal) {
      let before = clock.monotonic();
      while (!signal.aborted) {
        if (coming.size === 0) {
          await bell.wait(Infinity, signal);
          before = clock.monotonic();
        }
        await clock.sleep(pace.tickMs, signal);
        const now = clock.monotonic();
        for (const [req, body] of coming) look(req, body, now - before);
        before = now;
      }
    },
  };
}

/** What is left of an answered request would hold up the next one of its connection; Node discards it only if nobody has read any. */
function discardRest(req: IncomingMessage): void {
  req.unpipe();
  req.resume();
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
