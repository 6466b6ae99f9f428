import { once } from 'node:events';
import { Agent, request, type IncomingMessage, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../core/runtime/clock.ts';
import { createLog } from '../core/runtime/log.ts';
import { createMetrics } from '../core/runtime/metrics.ts';
import { eventually } from '../test/support/eventually.ts';
import { BODY_PACE, isTooSlow, type Pace, type Progress } from './body-pace.ts';
import { createListeners, type Listeners } from './listen.ts';
import { rememberRequest } from './request.ts';

const progress = (changes: Partial<Progress>): Progress => ({
  isUpload: true,
  elapsedMs: 0,
  oursMs: 0,
  silentMs: 0,
  bytes: 0,
  ...changes,
});
const KIB = 1_024;
const MINUTE_MS = 60_000;

describe('a body comes too slowly', () => {
  test.each<[string, Partial<Progress>, boolean]>([
    ['an ordinary one within its time', { isUpload: false, elapsedMs: 29_999 }, false],
    [
      'an ordinary one after it, however much has come',
      { isUpload: false, elapsedMs: 30_000, bytes: 1e9 },
      true,
    ],
    ['an upload in its first half minute', { elapsedMs: 29_000, silentMs: 20_000 }, false],
    ['an upload of 10 MB at 70 kbit/s, at its end', { elapsedMs: 19 * MINUTE_MS, bytes: 9_975_000 }, false],
    ['an upload below the rate', { elapsedMs: 90_000, bytes: 60 * 8 * KIB - 1 }, true],
    ['an upload just at the rate', { elapsedMs: 90_000, bytes: 60 * 8 * KIB }, false],
    ['one that we kept waiting', { elapsedMs: 90_000, oursMs: 30_000, bytes: 30 * 8 * KIB }, false],
    ['one that has fallen silent', { elapsedMs: 60_000, silentMs: 30_000, bytes: 9e6 }, true],
    ['one that never ends', { elapsedMs: 20 * MINUTE_MS, bytes: 1e9 }, true],
  ])('%s', (_name, changes, verdict) => {
    expect(isTooSlow(progress(changes), BODY_PACE)).toBe(verdict);
  });
});

const QUICK: Pace = {
  ordinaryMs: 300,
  graceMs: 300,
  bytesPerSecond: 20_000,
  silenceMs: 400,
  longestMs: 3_000,
  lingerMs: 600,
  tickMs: 20,
};

describe('a listener', () => {
  let listeners: Listeners | undefined;
  /** The date jumps by this at the second reading. */
  let setByMs = 0;
  let ticks = 0;
  afterEach(async () => {
    setByMs = 0;
    await listeners?.drain(() => {});
  });

  /** Listens with uploads let take their time. @returns the port */
  async function listen(handler: RequestListener, isUpload = true): Promise<number> {
    const log = createLog({ name: 'server', level: 'silent' });
    let readings = 0;
    listeners = createListeners({
      log,
      metrics: createMetrics({ process: 'server', version: 'test', defaults: false }),
      clock: {
        ...systemClock,
        now: () => Date.now() + (readings++ > 0 ? setByMs : 0),
        sleep: (ms, signal) => {
          ticks += ms === QUICK.tickMs ? 1 : 0;
          return systemClock.sleep(ms, signal);
        },
      },
      http: { port: 0, host: '127.0.0.1' },
      drainDelayMs: 0,
      drainTimeoutMs: 100,
      pace: QUICK,
    });
    await listeners.start((req, res) => {
      rememberRequest({ req }, { id: '1', client: '', log }).isUpload = isUpload;
      handler(req, res);
    });
    return listeners.addresses()!.http.port;
  }

  /** Sends `bytes` every 20 ms until there is an answer or `total` is sent. @returns the status */
  async function trickle(isUpload: boolean, bytes: number, total: number): Promise<number> {
    const port = await listen((req, res) => {
      req.resume();
      req.once('end', () => res.end('ok'));
    }, isUpload);
    const sent = request({ port, method: 'POST', headers: { 'Content-Length': total } });
    sent.on('error', () => {});
    const answer: { status?: number | undefined } = {};
    sent.once('response', (response) => {
      answer.status = response.statusCode;
      response.resume();
    });
    const answered = once(sent, 'response');
    for (let at = 0; at < total && answer.status === undefined; at += bytes) {
      sent.write(Buffer.alloc(Math.min(bytes, total - at)));
      await delay(20);
    }
    await answered;
    sent.destroy();
    return answer.status!;
  }

  test('looks at what comes, and rests when nothing does', async () => {
    ticks = 0;
    expect(await trickle(true, 1_000, 5_000)).toBe(200);
    expect(ticks).toBeGreaterThan(1);
    await eventually('nothing is looked at for ten ticks', async () => {
      const before = ticks;
      await delay(10 * QUICK.tickMs);
      return ticks === before;
    });
  });

  test('ends what trickles, and answers it before', async () => {
    expect(await trickle(false, 1_000, 1e6)).toBe(408);
  });

  test('its answer reaches a client that reads only after it has sent some more, and the connection ends', async () => {
    const port = await listen((req) => void req.resume(), false);
    const socket = connect(port, '127.0.0.1');
    let error: Error | undefined;
    socket.on('error', (thrown) => (error = thrown));
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
    const startedAt = performance.now();
    while (performance.now() - startedAt < QUICK.ordinaryMs + 300) {
      socket.write('x');
      await delay(10);
    }
    expect(error).toBeUndefined();
    const [said] = (await once(socket, 'data')) as [Buffer];
    expect(said.toString()).toMatch(/^HTTP\/1.1 408 /);
    const byte = setInterval(() => socket.write('x'), 20);
    await once(socket, 'close');
    clearInterval(byte);
    expect(performance.now() - startedAt).toBeLessThan(QUICK.longestMs);
  });

  test('waits for an upload that trickles fast enough, longer than for anything else', async () => {
    const startedAt = performance.now();
    expect(await trickle(true, 2_000, 100_000)).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(2 * QUICK.ordinaryMs);
  });

  test('lets what comes behind an answer in no longer than an ordinary body', async () => {
    const port = await listen((req, res) => {
      // As a parser does that has had enough: begun, and never read on.
      req.once('data', () => {
        req.pause();
        res.writeHead(400).end('no');
      });
    });
    const sent = request({ port, method: 'POST', headers: { 'Content-Length': 1e6 } });
    sent.on('error', () => {});
    const startedAt = performance.now();
    const byte = setInterval(() => sent.write('x'), 20);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(400);
    // The byte that meets the closed connection may be answered by a reset.
    await new Promise((resolve) => response.resume().socket.once('close', resolve));
    clearInterval(byte);
    expect(performance.now() - startedAt).toBeLessThan(QUICK.longestMs);
  });

  test('a body that nobody reads on does not hold up the next request of its connection', async () => {
    const port = await listen((req, res) => {
      if (req.method === 'GET') return void res.end('next');
      return void req.once('data', () => {
        req.pause();
        res.writeHead(400).end('no');
      });
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (method: string, body?: Buffer): Promise<number | undefined> => {
      const sent = request({ agent, port, method });
      sent.end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      await once(response.resume(), 'end');
      return response.statusCode;
    };
    expect(await ask('POST', Buffer.alloc(1e6))).toBe(400);
    expect(await ask('GET')).toBe(200);
    agent.destroy();
  });

  test('cuts nobody off because the date is set', async () => {
    setByMs = 3_600_000;
    expect(await trickle(true, 2_000, 20_000)).toBe(200);
  });

  test('ends an upload that is slower than the least rate', async () => {
    expect(await trickle(true, 10, 1e6)).toBe(408);
  });
});
