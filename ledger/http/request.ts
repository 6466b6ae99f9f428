import type { IncomingMessage } from 'node:http';
import type { ListenerName } from '../misbehaviour.ts';
import type { LedgerNode } from '../node.ts';
import type { Friendbot } from '../friendbot.ts';
import { ledgerOfToken } from '../chain/records.ts';
import type { Window, PageQuery } from '../chain/lane.ts';
import type { StateView } from '../state/store.ts';
import type { Linker } from '../resources/hal.ts';
import type { Json } from '../resources/hal.ts';
import { beforeHistory } from './problem.ts';

/** What all requests share. */
export interface HttpContext {
  readonly node: LedgerNode;
  readonly friendbot: Friendbot;
  /** how long a synchronous submission waits for its ledger */
  readonly submitTimeoutMs: number;
  /** how long a stream stays open */
  readonly streamTimeoutMs: number;
}

export interface Reply {
  readonly status: number;
  readonly body: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

export function ok(body: Json, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, body, headers };
}

/** The network as one reader sees it: perhaps some ledgers late, and without what is forgotten. */
export class Reader {
  readonly node: LedgerNode;
  /** the latest ledger that it sees */
  readonly latest: number;
  readonly state: StateView;
  readonly window: Window;

  /** @param lagLedgers how far behind it is */
  constructor(node: LedgerNode, lagLedgers: number) {
    const { chain } = node;
    this.node = node;
    this.latest = Math.max(chain.history.oldest, chain.latest.sequence - lagLedgers);
    this.state = lagLedgers === 0 ? chain.store : chain.store.asOf(this.latest);
    this.window = chain.history.window(this.latest);
  }

  /**
   * Refuses a page that would begin before known history. As on a real Horizon only a descending one does; an
   * ascending one begins at the oldest known ledger, unless the misbehaviour says otherwise.
   * @throws Problem 410
   */
  checkCursor({ cursor, order }: PageQuery): void {
    const strict = this.node.faults.peek('forgetHistory')?.refuseAscending === true;
    if (cursor === null || (order === 'asc' && !strict)) return;
    const { oldest } = this.node.chain.history;
    const missed = order === 'asc' ? ledgerOfToken(cursor) < oldest - 1 : ledgerOfToken(cursor) < oldest;
    if (missed) throw beforeHistory();
  }
}

/** One request, as the routes see it. */
export interface Request {
  readonly context: HttpContext;
  readonly reader: Reader;
  readonly listener: ListenerName;
  readonly links: Linker;
  /** scheme, host and path */
  readonly url: string;
  readonly query: URLSearchParams;
  /** the path's parameters, in order */
  readonly params: readonly string[];
  /** aborted when the client goes away */
  readonly signal: AbortSignal;
  readonly incoming: IncomingMessage;
}
