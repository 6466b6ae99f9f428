import { createServer as createHttpServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { Chain } from './chain/chain.ts';
import { Friendbot } from './friendbot.ts';
import { HttpApi } from './http/server.ts';
import type { HttpContext } from './http/request.ts';
import { Journal } from './journal.ts';
import type { JournalLine } from './journal.ts';
import { Faults } from './misbehaviour.ts';
import type { ListenerName, Misbehaviour } from './misbehaviour.ts';
import { LOCAL_PASSPHRASE, MAX_OPERATIONS_PER_LEDGER, rootKeypair } from './network.ts';
import { LedgerNode } from './node.ts';

export { LOCAL_PASSPHRASE } from './network.ts';
export type { Misbehaviour } from './misbehaviour.ts';

/** As on the public network, a synchronous submission waits this long for its ledger. */
const SUBMIT_TIMEOUT_MS = 30_000;
const STREAM_TIMEOUT_MS = 55_000;
/** About a week of ledgers of a second. */
const HISTORY_LEDGERS = 600_000;

export interface LedgerOptions {
  /** 127.0.0.1 */
  readonly host?: string;
  /** 0 = a free one */
  readonly port?: number;
  /** 0 = ledgers close only by closeLedger() */
  readonly closeIntervalMs: number;
  /** LOCAL_PASSPHRASE */
  readonly passphrase?: string;
  /** where ledgers are written down before they count; absent = memory only */
  readonly dataDir?: string;
  /** PEM */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** a second listener over the same network, whose reads can lag; 0 = a free port */
  readonly secondPort?: number;
  /** ms since the epoch */
  readonly now?: () => number;
  readonly log?: (message: string, detail?: object) => void;
  /** 1,000 */
  readonly maxOperationsPerLedger?: number;
  /** how many ledgers stay known; 600,000 */
  readonly historyLedgers?: number;
  /** how long a synchronous submission waits; 30 s */
  readonly submitTimeoutMs?: number;
  /** how long a stream stays open; 55 s */
  readonly streamTimeoutMs?: number;
}

export interface LocalLedger {
  readonly url: string;
  readonly secondUrl?: string;
  readonly passphrase: string;
  /** The seed (S…) of the account that holds all lumens. */
  readonly rootSecret: string;
  /** Resolves when the ledger is closed and, with a data directory, on the disk. */
  closeLedger(): Promise<void>;
  /** @throws MisbehaviourError for a fault or field that there is not */
  misbehave(change: Partial<Misbehaviour>): void;
  /** Ends the clock, the streams and the listeners. */
  close(): Promise<void>;
}

interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

function replayInto(chain: Chain): (line: JournalLine) => void {
  return ({ sequence, closeTime, baseFee, envelopes }) => {
    const candidates = envelopes.map((envelopeXdr) => chain.candidate(chain.parse(envelopeXdr)));
    chain.close({ sequence, closeTime, baseFee: BigInt(baseFee), candidates, surgeBid: null });
  };
}

async function listen(server: Server, host: string, port: number, scheme: string): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function openListener(
  options: LedgerOptions,
  context: HttpContext,
  name: ListenerName,
  port: number,
): Promise<Listening> {
  const scheme = options.tls === undefined ? 'http' : 'https';
  const api = new HttpApi(context, name, scheme, options.log ?? (() => {}));
  const handle: RequestListener = (incoming, response) => {
    void api.handle(incoming, response);
  };
  const server =
    options.tls === undefined ? createHttpServer(handle) : createHttpsServer(options.tls, handle);
  // Longer than clients keep an idle connection, or they send on one that closes at that moment.
  server.keepAliveTimeout = 75_000;
  return listen(server, options.host ?? '127.0.0.1', port, scheme);
}

/** The network as it was left, or a new one, with a ledger of the present time on top. @throws JournalError */
async function startNode(options: LedgerOptions): Promise<{ node: LedgerNode; friendbot: Friendbot }> {
  const { dataDir, passphrase = LOCAL_PASSPHRASE, now = Date.now } = options;
  const { maxOperationsPerLedger: maxOperations = MAX_OPERATIONS_PER_LEDGER } = options;
  const { historyLedgers = HISTORY_LEDGERS } = options;
  const chain = new Chain({ passphrase, maxOperations, historyLedgers });
  const journal = dataDir === undefined ? null : await Journal.open(dataDir, passphrase, replayInto(chain));
  const friendbot = new Friendbot(chain);
  const log = options.log ?? ((): void => {});
  const node = new LedgerNode({ chain, faults: new Faults(now), friendbot, journal, now, log });
  await node.closeLedger();
  return { node, friendbot };
}

/**
 * Starts a Stellar network of one process that answers like Horizon. It resolves when its URL answers and a ledger
 * with the present time has closed.
 * @throws JournalError if the data directory holds another network or is damaged
 */
export async function startLedger(options: LedgerOptions): Promise<LocalLedger> {
  const { closeIntervalMs, secondPort } = options;
  const { node, friendbot } = await startNode(options);
  const context: HttpContext = {
    node,
    friendbot,
    submitTimeoutMs: options.submitTimeoutMs ?? SUBMIT_TIMEOUT_MS,
    streamTimeoutMs: options.streamTimeoutMs ?? STREAM_TIMEOUT_MS,
  };
  const main = await openListener(options, context, 'main', options.port ?? 0);
  const second = secondPort === undefined ? null : await openListener(options, context, 'second', secondPort);
  if (closeIntervalMs > 0) node.start(closeIntervalMs);
  options.log?.('the local ledger listens', { url: main.url, ledger: node.chain.latest.sequence });
  return {
    url: main.url,
    ...(second === null ? {} : { secondUrl: second.url }),
    passphrase: node.chain.passphrase,
    rootSecret: rootKeypair(node.chain.passphrase).secret(),
    closeLedger: () => node.closeLedger(),
    misbehave: (change) => node.faults.change(change),
    close: async () => {
      await node.stop();
      await Promise.all([main.close(), second?.close()]);
    },
  };
}
