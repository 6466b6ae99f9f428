import { PassThrough } from 'node:stream';
import type { Context } from 'koa';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Follower } from './follow.ts';

/** A stream ends by itself before a rollout or a proxy ends it; the browser comes back at once. */
export const STREAM_MS = 25_000;
const HEARTBEAT_MS = 10_000;
const RECONNECT_MS = 500;

export interface LiveOptions {
  readonly follower: Follower;
  readonly clock: Clock;
  readonly streamMs: number;
}

/**
 * Answers with server-sent events: `version` at once and after each change, whose data is the transaction's version. 204
 * where no further stream can be held, which tells the browser not to come back.
 */
export function answerLive(
  ctx: Context,
  { follower, clock, streamMs }: LiveOptions,
  transaction: { readonly id: string; readonly version: number },
): void {
  const stream = new PassThrough();
  const say = (version: number): void => void stream.write(`event: version\ndata: ${version}\n\n`);
  const stop = follower.follow(transaction.id, transaction.version, say);
  if (!stop) {
    ctx.status = 204;
    return;
  }
  const over = new AbortController();
  stream.once('close', () => {
    stop();
    over.abort();
  });
  stream.write(`retry: ${RECONNECT_MS}\n\n`);
  say(transaction.version);
  ctx.type = 'text/event-stream; charset=utf-8';
  // nginx holds answers back otherwise.
  ctx.set('X-Accel-Buffering', 'no');
  // Koa destroys it with the answer.
  ctx.body = stream;
  void keepAlive(stream, { clock, endAtMs: clock.monotonic() + streamMs }, over.signal);
}

async function keepAlive(
  stream: PassThrough,
  { clock, endAtMs }: { readonly clock: Clock; readonly endAtMs: number },
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted && clock.monotonic() < endAtMs) {
    await clock.sleep(Math.min(HEARTBEAT_MS, endAtMs - clock.monotonic()), over);
    if (!over.aborted) stream.write(':\n\n');
  }
  stream.end();
}
