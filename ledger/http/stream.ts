import type { ServerResponse } from 'node:http';
import type { Json } from '../resources/hal.ts';
import type { TokenList } from './lists.ts';
import { parseTokenCursor, readLimit } from './query.ts';
import type { Request } from './request.ts';
import { Reader } from './request.ts';

const HELLO = 'retry: 1000\nevent: open\ndata: "hello"\n\n';
const BYEBYE = 'retry: 10\nevent: close\ndata: "byebye"\n\n';
/** How often a stalled stream looks whether it may go on. */
const STALL_CHECK_MS = 50;

function eventOf(record: Json): string {
  return `id: ${String(record['paging_token'])}\ndata: ${JSON.stringify(record)}\n\n`;
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener('abort', finish, { once: true });
  });
}

/** Where a stream begins: where the client's last one broke off, or at its cursor. @throws Problem 400 */
function startOf({ incoming, query, reader }: Request): bigint | null {
  const last = incoming.headers['last-event-id'];
  const text = typeof last === 'string' && last !== '' ? last : query.get('cursor');
  return parseTokenCursor(text, reader.latest);
}

/** One open stream: what it sent, and how it ends. */
class Stream {
  readonly #request: Request;
  readonly #response: ServerResponse;
  readonly #list: TokenList;
  readonly #limit: number;
  /** aborts when the client leaves or the time is over */
  readonly #end: AbortSignal;
  #cursor: bigint | null;
  #sent = 0;
  /** whether a ledger closed since the last look */
  #isDirty = false;
  #wake: (() => void) | null = null;

  /** @throws Problem 400, 410 */
  constructor(request: Request, response: ServerResponse, list: TokenList, end: AbortSignal) {
    this.#request = request;
    this.#response = response;
    this.#list = list;
    this.#limit = readLimit(request.query);
    this.#cursor = startOf(request);
    this.#end = end;
    request.reader.checkCursor({ cursor: this.#cursor, order: 'asc', limit: this.#limit });
  }

  async run(): Promise<void> {
    const { context, listener, signal } = this.#request;
    const cut = context.node.faults.takeFor('cutStreams', listener, 'stream');
    const most = cut === null ? this.#limit : Math.min(this.#limit, cut.afterRecords ?? 0);
    const stop = context.node.onClose(() => this.#notice());
    this.#end.addEventListener('abort', () => this.#wake?.(), { once: true });
    this.#response.write(HELLO);
    while (!this.#end.aborted && this.#sent < most) {
      this.#isDirty = false;
      await this.#whileStalled();
      const isIdle = this.#end.aborted || this.#send(most - this.#sent) === 0;
      if (isIdle) await this.#nextLedger();
    }
    stop();
    if (cut !== null) await this.#breakOff();
    else if (!signal.aborted) this.#response.end(BYEBYE);
  }

  /** Breaks the connection once what was written is out. */
  async #breakOff(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#response.write(':\n', () => resolve());
    });
    this.#response.destroy();
  }

  #notice(): void {
    this.#isDirty = true;
    this.#wake?.();
  }

  /** Sends what is new; returns how many records that were. */
  #send(room: number): number {
    const { context, listener } = this.#request;
    const { node } = context;
    const lag = node.faults.peekFor('lagReads', listener, 'stream')?.ledgers ?? 0;
    const reader = new Reader(node, lag);
    const records = this.#list.read(reader, { cursor: this.#cursor, order: 'asc', limit: room });
    for (const record of records) this.#response.write(eventOf(record));
    const last = records.at(-1);
    if (last !== undefined) this.#cursor = BigInt(String(last['paging_token']));
    this.#sent += records.length;
    return records.length;
  }

  async #whileStalled(): Promise<void> {
    const { context, listener } = this.#request;
    while (!this.#end.aborted && context.node.faults.peekFor('stallStreams', listener, 'stream') !== null) {
      await sleep(STALL_CHECK_MS, this.#end);
    }
  }

  async #nextLedger(): Promise<void> {
    if (this.#isDirty || this.#end.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }
}

/**
 * Answers with server-sent events until `limit` records went out (10 by default), the time is over, or the client
 * leaves.
 * @param headers of every answer
 * @throws Problem before anything is sent, if the cursor or limit is wrong
 */
export async function streamList(
  request: Request,
  response: ServerResponse,
  list: TokenList,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const over = AbortSignal.timeout(request.context.streamTimeoutMs);
  const stream = new Stream(request, response, list, AbortSignal.any([over, request.signal]));
  response.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream; charset=utf-8' });
  await stream.run();
}
