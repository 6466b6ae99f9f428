import { createServer as createHttpServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createPublicFetch } from './public-fetch.ts';
import type { LookupAll, PublicFetchOptions } from './public-fetch.ts';
import { selfSigned } from './testing/self-signed.ts';

const HOST = 'wallet.example';
const REQUEST = { deadlineMs: 20_000, maxBytes: 1000 };

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** Public by its range but assigned to nobody: no packet of a test reaches a stranger. */
const NOBODY = '3ffe::1';

/** A resolver under the test's control that counts how often it was asked. */
function resolver(...answers: readonly string[][]) {
  let asked = 0;
  const lookup: LookupAll = (_host, _options, callback) => {
    const answer = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    callback(
      null,
      answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup, asked: () => asked };
}

let credentials: { cert: string; key: string };
let https: Server;
let http: Server;
let httpsPort: number;
let httpPort: number;
let connections: number;
let answer: RequestListener;

beforeAll(async () => {
  credentials = selfSigned(HOST, 'localhost');
  https = createHttpsServer(credentials, (request, response) => answer(request, response));
  http = createHttpServer((request, response) => answer(request, response));
  https.on('connection', () => (connections += 1));
  http.on('connection', () => (connections += 1));
  httpsPort = await listen(https);
  httpPort = await listen(http);
});

afterAll(async () => {
  await Promise.all([stop(https), stop(http)]);
});

beforeEach(() => {
  connections = 0;
  answer = (_request, response) => response.end('hello');
});

afterEach(() => {
  https.closeAllConnections();
});

/** Options under which the local server plays the public host `wallet.example`. */
function played(options: PublicFetchOptions = {}): PublicFetchOptions {
  const { lookup } = resolver(['127.0.0.1']);
  return { ca: credentials.cert, lookup, allowPrivate: [HOST], ...options };
}

function url(path = '/'): string {
  return `https://${HOST}:${httpsPort}${path}`;
}

async function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'fetched',
    (error: { code: string }) => error.code,
  );
}

describe('public fetch', () => {
  test('answers status, headers and body of an HTTPS URL', async () => {
    answer = (request, response) => {
      response.writeHead(404, { 'x-path': request.url, 'x-host': request.headers.host }).end('not here');
    };
    const response = await createPublicFetch(played())(url('/a/b?c=d'), REQUEST);
    expect(response).toMatchObject({
      status: 404,
      headers: { 'x-path': '/a/b?c=d', 'x-host': `${HOST}:${httpsPort}` },
    });
    expect(response.body.toString()).toBe('not here');
  });

  test('posts a body with headers', async () => {
    answer = (request, response) => {
      response.setHeader('x-signature', String(request.headers['signature']));
      request.pipe(response);
    };
    const request = { ...REQUEST, method: 'POST', headers: { signature: 's' }, body: '{"a":1}' } as const;
    const response = await createPublicFetch(played())(url(), request);
    expect(response.headers['x-signature']).toBe('s');
    expect(response.body.toString()).toBe('{"a":1}');
  });

  test('trusts no certificate that the given authorities did not issue', async () => {
    const { lookup } = resolver(['127.0.0.1']);
    const fetch = createPublicFetch({ lookup, allowPrivate: [HOST] });
    expect(await refusal(fetch(url(), REQUEST))).toBe('unreachable');
    const another = createPublicFetch(played({ allowPrivate: ['other.example'] }));
    expect(await refusal(another(`https://other.example:${httpsPort}/`, REQUEST))).toBe('unreachable');
  });

  test.each([
    ['http', 'http://wallet.example/'],
    ['ftp', 'ftp://wallet.example/'],
    ['file', 'file://wallet.example/etc/passwd'],
    ['credentials', 'https://user:password@wallet.example/'],
    ['a user name', 'https://user@wallet.example/'],
    ['another port', 'https://wallet.example:8443/'],
    ['port 22', 'https://wallet.example:22/'],
    ['loopback', 'https://127.0.0.1/'],
    ['loopback in shorthand', 'https://127.1/'],
    ['loopback as a number', 'https://2130706433/'],
    ['loopback in octal', 'https://0177.0.0.1/'],
    ['loopback in hexadecimal', 'https://0x7f000001/'],
    ['loopback in full-width digits', 'https://１２７.0.0.1/'],
    ['IPv6 loopback', 'https://[::1]/'],
    ['IPv4-mapped loopback', 'https://[::ffff:127.0.0.1]/'],
    ['the metadata service', 'https://169.254.169.254/latest/meta-data'],
    ['a private address', 'https://10.1.2.3/'],
    ['6to4 of a private address', 'https://[2002:a00:1::]/'],
    ['NAT64 of a private address', 'https://[64:ff9b::a00:1]/'],
  ])('refuses %s without any look-up', async (_what, target) => {
    const { lookup, asked } = resolver([NOBODY]);
    expect(await refusal(createPublicFetch({ lookup })(target, REQUEST))).toBe('destination_forbidden');
    expect(asked()).toBe(0);
  });

  test.each([
    '',
    'wallet.example',
    '//wallet.example/',
    'https://',
    `https://wallet.example/${'a'.repeat(2048)}`,
  ])('refuses what is no URL: %#', async (target) => {
    expect(await refusal(createPublicFetch()(target, REQUEST))).toBe('invalid_url');
  });

  test.each([
    ['127.0.0.1'],
    ['10.0.0.1'],
    ['169.254.169.254'],
    ['100.64.0.1'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['fd00::1'],
    ['fe80::1'],
    ['64:ff9b::7f00:1'],
    ['2002:7f00:1::1'],
    ['0.0.0.0'],
    ['224.0.0.1'],
  ])('refuses a public name that resolves to %s before anything is connected', async (address) => {
    const { lookup, asked } = resolver([address]);
    const fetch = createPublicFetch({ lookup, ca: credentials.cert, ports: [httpsPort] });
    expect(await refusal(fetch(url(), REQUEST))).toBe('destination_forbidden');
    expect(asked()).toBe(1);
    expect(connections).toBe(0);
  });

  test('the real resolver is guarded as well: localhost is refused', async () => {
    const fetch = createPublicFetch({ ca: credentials.cert, ports: [httpsPort] });
    expect(await refusal(fetch(`https://localhost:${httpsPort}/`, REQUEST))).toBe('destination_forbidden');
    expect(connections).toBe(0);
  });

  test('a name that turns private after the first look-up gains nothing', async () => {
    const { lookup, asked } = resolver([NOBODY], ['127.0.0.1']);
    const fetch = createPublicFetch({ lookup, ca: credentials.cert, ports: [httpsPort] });
    const brief = { ...REQUEST, deadlineMs: 300 };
    // The first fetch tries the public address, which is not asked for a second time, and finds nobody there.
    expect(['deadline_exceeded', 'unreachable']).toContain(await refusal(fetch(url(), brief)));
    expect(asked()).toBe(1);
    expect(await refusal(fetch(url(), brief))).toBe('destination_forbidden');
    expect(asked()).toBe(2);
    expect(connections).toBe(0);
  });

  test('of a mixed answer only the public addresses are tried', async () => {
    const { lookup } = resolver(['127.0.0.1', NOBODY, '::1']);
    const fetch = createPublicFetch({ lookup, ca: credentials.cert, ports: [httpsPort] });
    const code = await refusal(fetch(url(), { ...REQUEST, deadlineMs: 300 }));
    expect(['deadline_exceeded', 'unreachable']).toContain(code);
    expect(connections).toBe(0);
  });

  test('refuses a redirect and does not follow it', async () => {
    const paths: unknown[] = [];
    answer = (request, response) => {
      paths.push(request.url);
      response.writeHead(302, { location: '/elsewhere' }).end();
    };
    expect(await refusal(createPublicFetch(played())(url(), REQUEST))).toBe('redirect_refused');
    expect(paths).toEqual(['/']);
  });

  test('reads a body of the largest size and refuses one byte more, announced or not', async () => {
    const fetch = createPublicFetch(played());
    answer = (_request, response) => response.end('x'.repeat(1000));
    expect((await fetch(url(), REQUEST)).body).toHaveLength(1000);
    answer = (_request, response) => response.end('x'.repeat(1001));
    expect(await refusal(fetch(url(), REQUEST))).toBe('response_too_large');
    answer = (_request, response) => {
      response.write('x'.repeat(1000));
      setTimeout(() => response.end('x'), 20);
    };
    expect(await refusal(fetch(url(), REQUEST))).toBe('response_too_large');
  });

  test('an endless body is cut off', async () => {
    answer = (_request, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      };
      response.on('drain', write);
      write();
    };
    expect(await refusal(createPublicFetch(played())(url(), REQUEST))).toBe('response_too_large');
  });

  test('the deadline covers a server that never answers and one that trickles', async () => {
    const fetch = createPublicFetch(played());
    const brief = { ...REQUEST, deadlineMs: 200 };
    answer = () => undefined;
    expect(await refusal(fetch(url(), brief))).toBe('deadline_exceeded');
    answer = (_request, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    };
    const startedAt = performance.now();
    expect(await refusal(fetch(url(), brief))).toBe('deadline_exceeded');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('the deadline covers a resolver that never answers', async () => {
    const fetch = createPublicFetch({ lookup: () => undefined });
    const brief = { ...REQUEST, deadlineMs: 100 };
    expect(await refusal(fetch('https://wallet.example/', brief))).toBe('deadline_exceeded');
  });

  test("the caller's signal ends a fetch", async () => {
    answer = () => undefined;
    const signal = AbortSignal.timeout(50);
    expect(await refusal(createPublicFetch(played())(url(), { ...REQUEST, signal }))).toBe('unreachable');
  });

  test('a name that does not resolve is unreachable', async () => {
    const lookup: LookupAll = (_host, _options, callback) => {
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    };
    expect(await refusal(createPublicFetch({ lookup })('https://wallet.example/', REQUEST))).toBe(
      'unreachable',
    );
  });

  test('development may allow a host, with or without its port, and nothing else', async () => {
    const localhost = `https://localhost:${httpsPort}/`;
    for (const host of ['localhost', `localhost:${httpsPort}`]) {
      const fetch = createPublicFetch({ ca: credentials.cert, allowPrivate: [host] });
      expect((await fetch(localhost, REQUEST)).status).toBe(200);
      expect(await refusal(fetch(`https://127.0.0.1:${httpsPort}/`, REQUEST))).toBe('destination_forbidden');
    }
    const other = createPublicFetch({ ca: credentials.cert, allowPrivate: ['localhost:1'] });
    expect(await refusal(other(localhost, REQUEST))).toBe('destination_forbidden');
  });

  test('development may allow plain http, to this machine only', async () => {
    const options = { allowPrivate: [HOST], allowLoopbackHttp: true };
    const target = `http://${HOST}:${httpPort}/`;
    const local = createPublicFetch({ ...options, lookup: resolver(['127.0.0.1']).lookup });
    expect((await local(target, REQUEST)).body.toString()).toBe('hello');
    const remote = createPublicFetch({ ...options, lookup: resolver(['10.0.0.1']).lookup });
    expect(await refusal(remote(target, REQUEST))).toBe('destination_forbidden');
    const strict = createPublicFetch({ allowPrivate: [HOST], lookup: resolver(['127.0.0.1']).lookup });
    expect(await refusal(strict(target, REQUEST))).toBe('destination_forbidden');
    const unlisted = createPublicFetch({ allowLoopbackHttp: true, lookup: resolver(['127.0.0.1']).lookup });
    expect(await refusal(unlisted(target, REQUEST))).toBe('destination_forbidden');
  });

  test('leaves no connection behind', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    https.once('secureConnection', (socket: TLSSocket) => socket.on('close', () => resolve()));
    await createPublicFetch(played())(url(), REQUEST);
    await closed;
    expect(connections).toBe(1);
  });
});
