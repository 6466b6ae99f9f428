import fc from 'fast-check';
import { ask, type Fuzz } from './session.ts';
import type { Sending } from './wire.ts';

const HOST = 'Host: anchor.harbor.example\r\n';
const lines = (...all: readonly string[]): Buffer => Buffer.from(`${all.join('\r\n')}\r\n\r\n`, 'latin1');

/** Bytes that are no HTTP, or hardly; whether the server owes an answer at all. */
const RAW: readonly (readonly [bytes: Buffer, isAnswered: boolean])[] = [
  [lines('GET / HTTP/1.1'), true],
  [lines('GET /health/live HTTP/1.1', 'Host: a', 'Host: b', 'Connection: close'), true],
  [lines('GET /sep24/info HTTP/1.0'), true],
  [lines('GET /sep24/info HTTP/0.9'), true],
  [lines('get /sep24/info HTTP/1.1', 'Host: a'), true],
  [lines('GARBAGE'), true],
  [Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1'), true],
  [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), true],
  [lines(`GET /sep24/info HTTP/1.1`, 'Host: a', `X-Long: ${'x'.repeat(20_000)}`), true],
  [lines(`GET /sep24/info?${'a'.repeat(20_000)} HTTP/1.1`, 'Host: a'), true],
  [lines('GET /sep24/info HTTP/1.1', 'Host: a', 'X-Nul: a\0b'), true],
  [lines('GET /sep24/info HTTP/1.1', 'Host: a', ' folded: yes'), true],
  [lines('GET http://evil.example/sep24/info HTTP/1.1', 'Host: a', 'Connection: close'), true],
  [lines('GET //evil.example/sep24/info HTTP/1.1', 'Host: a', 'Connection: close'), true],
  [lines('GET /sep24/../../etc/passwd HTTP/1.1', 'Host: a', 'Connection: close'), true],
  [lines('GET /%2e%2e/%zz/\x80\xff HTTP/1.1', 'Host: a', 'Connection: close'), true],
  [lines('GET ?lang=en HTTP/1.1', 'Host: a', 'Connection: close'), true],
  [lines('GET * HTTP/1.1', 'Host: a', 'Connection: close'), true],
  [lines('OPTIONS * HTTP/1.1', 'Host: a', 'Connection: close'), true],
  [lines('GET /sep24/info HTTP/1.1', 'Host: a', 'Expect: wonders', 'Connection: close'), true],
  [lines('GET /sep24/info HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket'), true],
  [lines('GET /sep24/info HTTP/1.1', 'Host: a', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c'), true],
  [lines('TRACE /sep24/info HTTP/1.1', 'Host: a', 'Connection: close'), true],
  [lines('PROPFIND /sep24/info HTTP/1.1', 'Host: a', 'Connection: close'), true],
  [lines('CONNECT evil.example:443 HTTP/1.1', 'Host: a'), false],
  [lines('POST /auth HTTP/1.1', 'Host: a', 'Content-Length: -1'), true],
  [lines('POST /auth HTTP/1.1', 'Host: a', 'Content-Length: 5', 'Content-Length: 6'), true],
  [lines('POST /auth HTTP/1.1', 'Host: a', 'Content-Length: 1e9'), true],
  [lines('POST /auth HTTP/1.1', 'Host: a', 'Content-Length: 4', 'Transfer-Encoding: chunked'), true],
  [
    Buffer.concat([
      lines('POST /auth HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked'),
      Buffer.from('zz\r\n'),
    ]),
    true,
  ],
  [
    Buffer.concat([
      lines('POST /auth HTTP/1.1', 'Host: a', 'Transfer-Encoding: gzip, chunked'),
      Buffer.from('0\r\n\r\n'),
    ]),
    true,
  ],
  // The body ends before its length is reached: whoever sent it is gone.
  [
    Buffer.concat([
      lines('POST /auth HTTP/1.1', 'Host: a', 'Content-Type: application/json', 'Content-Length: 900'),
      Buffer.from('{"transaction":'),
    ]),
    false,
  ],
  [
    Buffer.concat([
      lines(
        'POST /auth HTTP/1.1',
        'Host: a',
        'Content-Type: multipart/form-data; boundary=x',
        'Transfer-Encoding: chunked',
      ),
      Buffer.from('4\r\n--x\r\n'),
    ]),
    false,
  ],
  // A request half way through its headers.
  [Buffer.from(`GET /sep24/info HTTP/1.1\r\n${HOST}X-Half`), false],
  // Two requests at once; the first answer is looked at.
  [Buffer.concat([lines('GET /health/live HTTP/1.1', 'Host: a'), lines('BROKEN')]), true],
];

export interface RawPlan {
  readonly bytes: Buffer;
  readonly isAnswered: boolean;
}

export const rawPlan: fc.Arbitrary<RawPlan> = fc.oneof(
  { arbitrary: fc.constantFrom(...RAW).map(([bytes, isAnswered]) => ({ bytes, isAnswered })), weight: 5 },
  {
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 200 })
      .map((bytes) => ({ bytes: Buffer.from(bytes), isAnswered: false })),
    weight: 1,
  },
);

export async function sendRaw(
  { client, judge, isDown }: Fuzz,
  { bytes, isAnswered }: RawPlan,
): Promise<void> {
  const wasDown = isDown();
  const answer = await client.sendRaw(bytes, isAnswered);
  const sending = { method: 'RAW', target: bytes.subarray(0, 300).toString('latin1'), headers: {} };
  judge.hear({ sending, isDown: wasDown || isDown(), mayBeCut: !isAnswered }, answer);
}

/** Paths that nobody serves, and preflights of those that somebody does. */
export const oddPlan: fc.Arbitrary<Sending> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH'),
  target: fc.oneof(
    fc.constantFrom(
      '/',
      '/sep24',
      '/sep24/',
      '/sep24/info/',
      '/sep24/Info',
      '//sep24//info',
      '/sep24/transactions/deposit',
      '/sep24/interactive/../info',
      '/auth/',
      '/auth/%00',
      '/health',
      '/internal/status',
      '/metrics',
      '/.well-known/stellar.toml/',
      '/.well-known/%2e%2e/x',
      '/sep24/assets/',
      '/sep24/assets/a/b',
      '/%',
      '/%zz',
      '/__proto__',
      '/constructor',
      '/sep24/info?lang=%',
      '/sep24/info?%zz=%zz&&&===',
      `/sep24/info?${'a=1&'.repeat(1_000)}`,
      `/${'a/'.repeat(2_000)}`,
    ),
    fc.webPath().filter((path) => path.startsWith('/')),
  ),
  headers: fc.constantFrom<Readonly<Record<string, string>>>(
    {},
    { accept: 'text/html' },
    { accept: '*/*;q=x' },
    {
      origin: 'https://wallet.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization, x-a\u00ff',
    },
  ),
});

export async function sendOdd(fuzz: Fuzz, sending: Sending): Promise<void> {
  await ask(fuzz, sending, {});
}
