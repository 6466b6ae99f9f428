import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import fc from 'fast-check';
import { systemClock } from '../runtime/clock.ts';
import { HistoryGone, NetworkChanged } from './errors.ts';
import { createHorizon } from './horizon.ts';
import { NOT_FOUND, page, problem, startHorizonServer } from './testing/horizon-server.ts';
import type { Asked, HorizonServer, Reply } from './testing/horizon-server.ts';
import { PASSPHRASE, ledgerResource, rootResource, transactionResource } from './testing/resources.ts';
import type { Horizon, HorizonOptions, LedgerTransaction } from './types.ts';

const id = Keypair.random().publicKey();
const from = Keypair.random().publicKey();
const HELLO = 'retry: 1000\nevent: open\ndata: "hello"\n\n';
const BYE = 'retry: 10\nevent: close\ndata: "byebye"\n\n';

interface Rec {
  paging_token: string;
}
const records = (count: number): Rec[] =>
  Array.from({ length: count }, (_, index) => transactionResource(10 + index, from) as Rec);
const write = (record: Rec): string => `id: ${record.paging_token}\ndata: ${JSON.stringify(record)}\n\n`;

/** The records behind the cursor that the request names; Last-Event-ID beats the query, as on a real Horizon. */
function behind(all: readonly Rec[], { headers, query }: Asked): Rec[] {
  const cursor = BigInt(String(headers['last-event-id'] ?? query.get('cursor') ?? '0'));
  return all.filter(({ paging_token: token }) => BigInt(token) > cursor);
}

const streaming =
  (script: (response: ServerResponse) => void | Promise<void>): Reply =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    return script(response);
  };

let one: HorizonServer;
let two: HorizonServer;
const open: Horizon[] = [];
beforeEach(async () => {
  [one, two] = await Promise.all([startHorizonServer(() => NOT_FOUND), startHorizonServer(() => NOT_FOUND)]);
});
afterEach(async () => {
  await Promise.all([...open.splice(0), one, two].map((each) => each.close()));
});

function client(replaced: Partial<HorizonOptions> = {}): Horizon {
  const options = {
    urls: [one.url],
    passphrase: PASSPHRASE,
    clock: systemClock,
    random: () => 0,
    deadlineMs: 1_000,
  };
  const horizon = createHorizon({ ...options, ...replaced });
  open.push(horizon);
  return horizon;
}

/** Serves streams by `stream`, and the root that the client checks its cursor with. */
function serve(server: HorizonServer, stream: (asked: Asked, connection: number) => Reply, elder = 2): void {
  let connections = 0;
  server.answer((asked) => {
    if (asked.path === '/')
      return { status: 200, body: rootResource(1_000, { history_elder_ledger: elder }) };
    if (asked.path === '/ledgers') return page([ledgerResource(1_000)]);
    connections += 1;
    return stream(asked, connections);
  });
}

async function take(horizon: Horizon, count: number, cursor = '0'): Promise<LedgerTransaction[]> {
  const transactions: LedgerTransaction[] = [];
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), 15_000);
  for await (const transaction of horizon.streamTransactions(id, { cursor, signal: stop.signal })) {
    transactions.push(transaction);
    if (transactions.length === count) break;
  }
  clearTimeout(late);
  return transactions;
}

const tokens = (transactions: readonly { pagingToken: string }[]): string[] =>
  transactions.map((each) => each.pagingToken);
const tokensOf = (all: readonly Rec[]): string[] => all.map((record) => record.paging_token);

describe('a stream of transactions', () => {
  test('goes on after the ends that Horizon makes every few records', async () => {
    const all = records(25);
    serve(one, (asked) =>
      streaming(
        (response) => void response.end(HELLO + behind(all, asked).slice(0, 10).map(write).join('') + BYE),
      ),
    );
    expect(tokens(await take(client(), 25))).toEqual(tokensOf(all));
    const streams = one.asked.filter(({ headers }) => headers.accept === 'text/event-stream');
    expect(streams.map(({ headers }) => headers['last-event-id'])).toEqual([
      '0',
      all[9]!.paging_token,
      all[19]!.paging_token,
    ]);
    expect(Object.fromEntries(streams[1]!.query)).toEqual({
      include_failed: 'true',
      cursor: all[9]!.paging_token,
      order: 'asc',
      limit: '200',
    });
  });

  test('loses and repeats nothing, wherever its connections are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 6_000 }), { maxLength: 5 }), async (cuts) => {
        const all = records(6);
        serve(one, (asked, connection) => {
          const text = HELLO + behind(all, asked).map(write).join('');
          const cut = cuts[connection - 1];
          return streaming((response) => {
            if (cut === undefined) return void response.end(text + BYE);
            response.write(text.slice(0, cut), () => setTimeout(() => response.destroy(), 5));
          });
        });
        expect(tokens(await take(client(), 6))).toEqual(tokensOf(all));
      }),
      { numRuns: 6 },
    );
  });

  test('leaves out records that a Horizon sends again', async () => {
    const all = records(4);
    serve(one, (_, connection) =>
      streaming(
        (response) =>
          void response.end(
            HELLO +
              all
                .slice(0, connection * 2)
                .map(write)
                .join('') +
              BYE,
          ),
      ),
    );
    expect(tokens(await take(client(), 4))).toEqual(tokensOf(all));
  });

  test('opens a silent connection anew', async () => {
    const all = records(2);
    serve(one, (asked, connection) =>
      streaming((response) => {
        const next = behind(all, asked)[0];
        response.write(HELLO + (next ? write(next) : ''));
        if (connection > 2) response.end(BYE);
      }),
    );
    const startedAt = Date.now();
    expect(tokens(await take(client({ inactivityMs: 300 }), 2))).toEqual(tokensOf(all));
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(290);
  });

  test('a slow consumer is not taken for a silent connection', async () => {
    const all = records(2);
    serve(one, (asked) =>
      streaming((response) => void response.write(HELLO + behind(all, asked).map(write).join(''))),
    );
    const seen: string[] = [];
    const signal = AbortSignal.timeout(10_000);
    for await (const transaction of client({ inactivityMs: 1_000 }).streamTransactions(id, {
      cursor: '0',
      signal,
    })) {
      seen.push(transaction.pagingToken);
      await systemClock.sleep(2_000);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(tokensOf(all));
    expect(one.asked.filter(({ headers }) => headers.accept === 'text/event-stream')).toHaveLength(1);
  });

  const broken: [string, Reply][] = [
    ['a proxy page', { status: 502, body: '<html>bad gateway</html>' }],
    ['JSON instead of a stream', page([])],
    ['a record that is not JSON', streaming((response) => void response.end('data: {"id"\n\n'))],
    ['a record without its token', streaming((response) => void response.end('data: {}\n\n'))],
    ['a connection that is cut', 'cut'],
    ['a rate limit', { status: 429, body: { type: 'rate_limit_exceeded' }, headers: { 'retry-after': '1' } }],
  ];
  test.each(broken)('survives %s', async (_, reply) => {
    const all = records(2);
    serve(one, (asked, connection) =>
      connection < 3
        ? reply
        : streaming((response) => void response.end(HELLO + behind(all, asked).map(write).join('') + BYE)),
    );
    expect(tokens(await take(client(), 2))).toEqual(tokensOf(all));
  });

  test('a record that it cannot read is asked for again, never skipped', async () => {
    const all = records(3);
    const spoilt = { ...all[1], fee_charged: '1e3' } as unknown as Rec;
    serve(one, (asked, connection) => {
      const seen = behind(connection === 1 ? [all[0]!, spoilt, all[2]!] : all, asked);
      return streaming((response) => void response.end(HELLO + seen.map(write).join('') + BYE));
    });
    expect(tokens(await take(client(), 3))).toEqual(tokensOf(all));
  });

  test('moves to the second Horizon when the first one fails, and goes on where it was', async () => {
    const all = records(4);
    serve(one, (_, connection) =>
      connection === 1
        ? streaming((response) => {
            response.write(HELLO + all.slice(0, 2).map(write).join(''), () =>
              setTimeout(() => response.destroy(), 100),
            );
          })
        : 'cut',
    );
    serve(two, (asked) =>
      streaming((response) => void response.write(HELLO + behind(all, asked).map(write).join(''))),
    );
    expect(tokens(await take(client({ urls: [one.url, two.url] }), 4))).toEqual(tokensOf(all));
    expect(two.asked.some(({ headers }) => headers['last-event-id'] === all[1]!.paging_token)).toBe(true);
  });

  test('waits for an account that does not exist yet, without blaming the Horizon', async () => {
    const all = records(1);
    const horizon = client();
    let asks = 0;
    serve(one, (asked) => {
      asks += 1;
      if (asks === 1) return NOT_FOUND;
      expect(horizon.urlHealth()).toMatchObject([{ state: 'healthy', failures: 0 }]);
      return streaming((response) => void response.end(HELLO + behind(all, asked).map(write).join('') + BYE));
    });
    expect(tokens(await take(horizon, 1))).toEqual(tokensOf(all));
  });

  test('starting now, misses nothing when its first connection breaks before a record', async () => {
    const all = records(2).map((record, index) => ({
      ...record,
      ...(transactionResource(1_001 + index, from) as Rec),
    }));
    serve(one, (asked, connection) =>
      connection === 1
        ? 'cut'
        : streaming((response) => void response.end(HELLO + behind(all, asked).map(write).join('') + BYE)),
    );
    expect(tokens(await take(client(), 2, 'now'))).toEqual(tokensOf(all));
    const first = one.asked.find(({ headers }) => headers.accept === 'text/event-stream');
    expect(first?.headers['last-event-id']).toBe(String((1_001n << 32n) - 1n));
  });
});

describe('what ends a stream', () => {
  const next = (horizon: Horizon, cursor = String(42n << 32n)): Promise<unknown> => {
    const transactions = horizon.streamTransactions(id, { cursor, signal: AbortSignal.timeout(5_000) });
    return transactions[Symbol.asyncIterator]().next();
  };
  const all = Array.from({ length: 2 }, (_, index) => transactionResource(50 + index, from) as Rec);
  /** As Horizon does: from the oldest record that it keeps, whatever the cursor. */
  const forgetful = (asked: Asked): Reply =>
    streaming((response) => void response.write(HELLO + behind(all.slice(1), asked).map(write).join('')));
  const complete = (asked: Asked): Reply =>
    streaming((response) => void response.write(HELLO + behind(all, asked).map(write).join('')));

  test('history that is gone, also where Horizon silently begins at the oldest that it keeps', async () => {
    serve(one, forgetful, 43);
    await expect(next(client())).rejects.toThrow(HistoryGone);
    serve(one, () => problem(410, 'before_history'));
    await expect(next(client())).rejects.toThrow(HistoryGone);
  });

  test('not history that begins right behind the cursor', async () => {
    serve(one, complete, 43);
    expect(await next(client(), String((43n << 32n) - 1n))).toMatchObject({ value: { ledger: 50 } });
    serve(one, complete, 42);
    expect(await next(client())).toMatchObject({ value: { ledger: 50 } });
  });

  test.each([
    ['that it leaves out', forgetful],
    ['with a 410', (): Reply => problem(410, 'before_history')],
  ])('not history that only the first Horizon has lost, %s', async (_, first) => {
    serve(one, first, 43);
    serve(two, complete, 2);
    const transactions = await take(client({ urls: [one.url, two.url] }), 2, String(42n << 32n));
    expect(tokens(transactions)).toEqual(tokensOf(all));
  });

  test('not history that the first one lost while the second is down for a moment', async () => {
    serve(one, forgetful, 43);
    serve(two, (asked, connection) => (connection < 3 ? 'cut' : complete(asked)), 2);
    const transactions = await take(client({ urls: [one.url, two.url] }), 2, String(42n << 32n));
    expect(tokens(transactions)).toEqual(tokensOf(all));
  });

  test('a network that began anew', async () => {
    serve(one, () => streaming((response) => void response.write(HELLO)));
    await expect(next(client(), String(1_500_000n << 32n))).rejects.toThrow(NetworkChanged);
  });

  test.each(['while it waits', 'while it backs off'])('an abort %s', async (when) => {
    serve(one, () =>
      when === 'while it waits' ? streaming((response) => void response.write(HELLO)) : 'cut',
    );
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    const seen: unknown[] = [];
    for await (const transaction of client({ random: () => 0.99 }).streamTransactions(id, {
      cursor: '0',
      signal: stop.signal,
    })) {
      seen.push(transaction);
    }
    expect(seen).toEqual([]);
  });

  test('the consumer, whose connection is then closed', async () => {
    const closed = Promise.withResolvers<boolean>();
    serve(one, (asked) =>
      streaming((response) => {
        response.on('close', () => closed.resolve(true));
        response.write(HELLO + behind(all, asked).map(write).join(''));
      }),
    );
    expect(await take(client(), 1)).toHaveLength(1);
    expect(await closed.promise).toBe(true);
  });

  test('the client that is closed', async () => {
    serve(one, () => streaming((response) => void response.write(HELLO)));
    const horizon = client();
    setTimeout(() => void horizon.close(), 200);
    expect(await next(horizon)).toEqual({ done: true, value: undefined });
  });
});

test('a change of an account is told by the transactions that touched it', async () => {
  const transactions = [7, 8].map((ledger) => transactionResource(ledger, from) as Rec);
  serve(one, (asked) =>
    streaming((response) => void response.end(HELLO + behind(transactions, asked).map(write).join('') + BYE)),
  );
  const changes: unknown[] = [];
  for await (const change of client().streamAccountChanges(id, {
    cursor: '0',
    signal: AbortSignal.timeout(5_000),
  })) {
    changes.push(change);
    if (changes.length === 2) break;
  }
  expect(changes).toEqual(
    [7, 8].map((ledger, index) => ({
      ledger,
      transactionHash: 'ab'.repeat(32),
      pagingToken: transactions[index]!.paging_token,
    })),
  );
});
