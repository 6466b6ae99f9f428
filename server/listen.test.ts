import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { selfSigned } from '../core/http/testing/self-signed.ts';
import { systemClock, type Clock } from '../core/runtime/clock.ts';
import { createHealth } from '../core/runtime/health.ts';
import { createLog } from '../core/runtime/log.ts';
import { createMetrics } from '../core/runtime/metrics.ts';
import { createListeners } from './listen.ts';
import type { Listeners, ListenersOptions } from './listen.ts';

const local = { port: 0, host: '127.0.0.1' };
const DELAY_MS = 123;
let folder: string;
let lines: string[];
let open: Listeners[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-tls-'));
  lines = [];
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map(async (listeners) => await listeners.drain(() => {})));
  await rm(folder, { recursive: true });
});

async function start(handler: RequestListener, options: Partial<ListenersOptions> = {}): Promise<Listeners> {
  const log = createLog({
    name: 'server',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  const metrics = createMetrics({ process: 'server', version: 'test', defaults: false });
  const shared = { log, metrics, clock: systemClock, http: local, drainDelayMs: 0, drainTimeoutMs: 3_000 };
  const listeners = createListeners({ ...shared, ...options });
  open.push(listeners);
  await listeners.start(handler);
  return listeners;
}

const files = () => ({ certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') });
async function mount(name: string, { badKey = false } = {}): Promise<void> {
  const { cert, key } = selfSigned(name);
  await writeFile(files().key, badKey ? selfSigned(name).key : key);
  await writeFile(files().certificate, cert);
}
const https = () => ({ https: { bind: local, files: files(), pollMs: 60_000 } });

interface Got {
  readonly status: number;
  readonly body: string;
  readonly certificate: string;
  readonly localPort: number;
  readonly connection: string | undefined;
}
async function get(port: number, path: string, agent: Agent): Promise<Got> {
  const isTls = agent instanceof HttpsAgent;
  const options = { port, path, agent, host: '127.0.0.1', rejectUnauthorized: false };
  const call = (isTls ? httpsRequest : httpRequest)(options).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const socket = response.socket as TLSSocket;
  const certificate = isTls ? String(socket.getPeerCertificate().subject.CN) : '';
  const { localPort = 0 } = socket;
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
  return {
    status: response.statusCode ?? 0,
    body,
    certificate,
    localPort,
    connection: response.headers.connection,
  };
}
const portsOf = (listeners: Listeners) => {
  const addresses = listeners.addresses();
  return { http: addresses?.http.port ?? 0, https: addresses?.https?.port ?? 0 };
};
async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 4_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('it did not come true within 4 s');
    await delay(20);
  }
}
const fresh = (): HttpsAgent => new HttpsAgent({ keepAlive: false, maxCachedSessions: 0 });

describe('HTTPS', () => {
  test('is served beside plain HTTP when a certificate is mounted', async () => {
    await mount('anchor.example');
    const listeners = await start((_req, res) => void res.end('ok'), https());
    const ports = portsOf(listeners);
    expect(await get(ports.http, '/', new Agent())).toMatchObject({ status: 200, body: 'ok' });
    expect(await get(ports.https, '/', fresh())).toMatchObject({
      status: 200,
      certificate: 'anchor.example',
    });
  });

  test('takes over a renewed certificate while an open keep-alive connection goes on', async () => {
    await mount('old.example');
    const listeners = await start((_req, res) => void res.end('ok'), https());
    const { https: port } = portsOf(listeners);
    const kept = new HttpsAgent({ keepAlive: true, maxSockets: 1 });
    const first = await get(port, '/', kept);
    await mount('new.example');
    await until(async () => (await get(port, '/', fresh())).certificate === 'new.example');
    expect(await get(port, '/', kept)).toMatchObject({ status: 200, localPort: first.localPort });
    kept.destroy();
  });

  test('keeps its certificate when the new one is bad, says so, and takes the next good one', async () => {
    await mount('good.example');
    const listeners = await start((_req, res) => void res.end('ok'), https());
    const { https: port } = portsOf(listeners);
    await mount('bad.example', { badKey: true });
    await until(() => lines.some((line) => line.includes('the key belongs to another certificate')));
    expect((await get(port, '/', fresh())).certificate).toBe('good.example');
    await expect(listeners.check.check(new AbortController().signal)).resolves.toBeUndefined();
    await rm(files().certificate);
    await until(() => lines.some((line) => line.includes('certificate_missing')));
    expect((await get(port, '/', fresh())).certificate).toBe('good.example');
    await mount('better.example');
    await until(async () => (await get(port, '/', fresh())).certificate === 'better.example');
  });

  test('starts when the certificate comes later; until then plain HTTP is served and ready', async () => {
    const listeners = await start((_req, res) => void res.end('ok'), https());
    expect(listeners.addresses()?.https).toBeUndefined();
    await expect(listeners.check.check(new AbortController().signal)).resolves.toBeUndefined();
    await mount('late.example');
    await until(() => listeners.addresses()?.https !== undefined);
    expect((await get(portsOf(listeners).https, '/', fresh())).certificate).toBe('late.example');
  });

  test('is not ready with a certificate that cannot be used', async () => {
    await mount('bad.example', { badKey: true });
    const listeners = await start((_req, res) => void res.end('ok'), https());
    await expect(listeners.check.check(new AbortController().signal)).rejects.toThrow(
      'no usable certificate',
    );
  });
});

describe('the stop', () => {
  test('is not ready first, finishes a slow request, closes kept connections and refuses new ones', async () => {
    const release = Promise.withResolvers<void>();
    const listeners = await start(
      (req, res) => {
        if (req.url === '/streamed') res.write('do');
        const rest = req.url === '/streamed' ? 'ne' : 'done';
        if (req.url !== '/quick') void release.promise.then(() => res.end(rest));
        else res.end('quick');
      },
      { drainDelayMs: 150, drainTimeoutMs: 25_000 },
    );
    const health = createHealth({ checks: [listeners.check], clock: systemClock });
    expect(await health.ready()).toMatchObject({ ok: true });
    const { http: port } = portsOf(listeners);
    const kept = new Agent({ keepAlive: true });
    const slow = get(port, '/slow', kept);
    const streamed = get(port, '/streamed', kept);
    await get(port, '/quick', kept);
    await delay(30);

    const drained = listeners.drain(() => health.drain());
    expect(await health.ready()).toEqual({ ok: false, reasons: ['stopping'] });
    expect(await get(port, '/quick', new Agent())).toMatchObject({ body: 'quick', connection: 'close' });
    await delay(200);
    await expect(get(port, '/quick', new Agent())).rejects.toThrow('ECONNREFUSED');
    const releasedAt = Date.now();
    release.resolve();
    expect(await slow).toMatchObject({ status: 200, body: 'done', connection: 'close' });
    expect(await streamed).toMatchObject({ status: 200, body: 'done', connection: 'keep-alive' });
    await drained;
    // Far from the drain's own end.
    expect(Date.now() - releasedAt).toBeLessThan(10_000);
    kept.destroy();
  });

  test('answers what comes over a kept connection once the ports are closed, and closes it then', async () => {
    await mount('anchor.example');
    const answered = Promise.withResolvers<void>();
    const clock: Clock = {
      ...systemClock,
      // Idle connections are closed when the test says so, whatever a busy machine takes until then.
      sleep: (ms, signal) => (ms === 2 * DELAY_MS ? answered.promise : systemClock.sleep(ms, signal)),
    };
    const options = { ...https(), clock, drainDelayMs: DELAY_MS };
    const listeners = await start((_req, res) => void res.end('ok'), options);
    const { https: port } = portsOf(listeners);
    const kept = new HttpsAgent({ keepAlive: true, maxSockets: 1 });
    const first = await get(port, '/', kept);

    const drained = listeners.drain(() => {});
    const isRefused = (): Promise<boolean> =>
      get(port, '/', fresh()).then(
        () => false,
        () => true,
      );
    await until(isRefused);
    expect(await get(port, '/', kept)).toMatchObject({ connection: 'close', localPort: first.localPort });
    answered.resolve();
    await drained;
  });

  test('cuts a request that outlasts the drain', async () => {
    const listeners = await start(() => {}, { drainTimeoutMs: 100 });
    const hanging = get(portsOf(listeners).http, '/', new Agent());
    hanging.catch(() => {});
    await delay(30);
    await listeners.drain(() => {});
    await expect(hanging).rejects.toThrow('socket hang up');
  });
});

describe('a listener', () => {
  const raw = async (port: number, text: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.end(text);
    let answer = '';
    for await (const chunk of socket.setEncoding('utf8')) answer += String(chunk);
    return answer;
  };

  test.each([
    ['no HTTP', 'hello\r\n\r\n', '400 Bad Request'],
    [
      'headers above the limit',
      `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
      '431 Request Header',
    ],
    ['a request without Host', 'GET / HTTP/1.1\r\n\r\n', '400 Bad Request'],
  ])('answers %s with a JSON error that any origin can read', async (_what, text, status) => {
    const listeners = await start((_req, res) => void res.end('ok'));
    const answer = await raw(portsOf(listeners).http, text);
    expect(answer).toContain(`HTTP/1.1 ${status}`);
    expect(answer).toContain('Access-Control-Allow-Origin: *');
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toEqual({ error: expect.any(String) });
  });

  test('leaves an expectation that it does not know to the app, as RFC 9110 permits', async () => {
    const listeners = await start((_req, res) => void res.end('served'));
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nConnection: close';
    expect(await raw(portsOf(listeners).http, `${head}\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 OK[^]*served$/);
  });

  test('serves HTTP/1.0 without Host', async () => {
    const listeners = await start((_req, res) => void res.end('served'));
    expect(await raw(portsOf(listeners).http, 'GET / HTTP/1.0\r\n\r\n')).toContain('served');
  });

  test('says which port it cannot have', async () => {
    const first = await start(() => {});
    const { http: port } = portsOf(first);
    await expect(start(() => {}, { http: { ...local, port } })).rejects.toMatchObject({
      code: 'listen_failed',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    open.pop();
  });
});
