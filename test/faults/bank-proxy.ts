import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { sleep } from './stellar.ts';

/**
 * How the integration behaves.
 * hangBefore: a call is kept and never handed on. hangAfter: it is done, the answer never comes. repeat: each call is done
 * twice, side by side. slow: the answer comes late, yet in time. garbage: the answer is a page of HTML. failing: 500 after the call was done. lie: what a poll says is
 * twisted (see {@link twist}).
 */
export type BankMode =
  'well' | 'hangBefore' | 'hangAfter' | 'slow' | 'repeat' | 'garbage' | 'failing' | 'lie';

/** Stands between Capstan and its integration. */
export interface BankProxy {
  readonly url: string;
  /** The bank's own port; undefined while it is down. */
  setTarget(port: number | undefined): void;
  setMode(mode: BankMode): void;
  /** How many calls have been served in another way than well. */
  readonly met: number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Less than Capstan waits (integration.timeout of anchor-files.ts). */
const SLOW_MS = 1_500;
/** Nobody waits for so long. */
const HANG_MS = 30_000;

export async function startBankProxy(): Promise<BankProxy> {
  let target: number | undefined;
  let mode: BankMode = 'well';
  let met = 0;
  const pending = new Set<NodeJS.Timeout>();
  const hang = (response: ServerResponse): void => {
    const timer = setTimeout(() => {
      pending.delete(timer);
      response.destroy();
    }, HANG_MS);
    pending.add(timer);
  };
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const behaviour = mode;
    if (behaviour !== 'well' && (behaviour !== 'lie' || isPoll(incoming.url ?? ''))) met += 1;
    const body = await buffer(incoming);
    if (behaviour === 'hangBefore') return hang(response);
    const calls = behaviour === 'repeat' ? 2 : 1;
    const answers = await Promise.all(Array.from({ length: calls }, () => forward(target, incoming, body)));
    const answer = answers.at(-1);
    if (!answer) return void response.destroy();
    if (behaviour === 'hangAfter') return hang(response);
    if (behaviour === 'slow') await sleep(SLOW_MS);
    if (behaviour === 'failing') return reply(response, 500, '{"error":"The bank failed."}');
    if (behaviour === 'garbage') return reply(response, 200, '<html>Good morning</html>', 'text/html');
    const text = behaviour === 'lie' ? twist(incoming.url ?? '', answer.body) : answer.body;
    reply(response, answer.status, text);
  };
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setTarget: (port) => {
      target = port;
    },
    setMode: (next) => {
      mode = next;
    },
    get met() {
      return met;
    },
    close: () =>
      new Promise((resolve) => {
        for (const timer of pending) clearTimeout(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function reply(
  response: ServerResponse,
  status: number,
  body: Buffer | string,
  type = 'application/json',
): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

function forward(
  port: number | undefined,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (port === undefined) return reject(new Error('the bank is down'));
    const outgoing = httpRequest({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      buffer(answer).then((content) => resolve({ status: answer.statusCode ?? 502, body: content }), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

interface Result {
  readonly id: string;
  readonly outcome: string;
  readonly amount?: string;
  readonly reference?: string;
}

const isPoll = (path: string): boolean => path.endsWith('/poll');

/**
 * What an integration that lies says in a poll: results of strangers, of nothing, twice with another amount, with the
 * reference of another deposit, with amounts that are none. Only what the contract lets Capstan see through: a bank that says
 * that money came in which did not is believed, as any bank is.
 */
function twist(path: string, body: Buffer): Buffer | string {
  if (!isPoll(path)) return body;
  const { results = [] } = JSON.parse(body.toString()) as { results?: readonly Result[] };
  const [first, second] = results;
  const stranger = { id: '00000000-0000-4000-8000-000000000000', outcome: 'completed', reference: 'NOBODY' };
  const twisted: unknown[] = [...results, stranger, { id: 7, outcome: 'arrived' }];
  if (first?.amount !== undefined) {
    twisted.push({ ...first, amount: '9999' }, { ...first, amount: '-1' });
    // The second claims the money of the first: a bank transfer pays one deposit.
    if (second?.amount !== undefined) twisted[1] = { ...second, reference: first.reference };
  }
  return JSON.stringify({ results: twisted });
}
