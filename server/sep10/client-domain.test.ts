import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { createPublicFetch } from '../../core/http/public-fetch.ts';
import type { LookupAll, PublicFetch } from '../../core/http/public-fetch.ts';
import { selfSigned } from '../../core/http/testing/self-signed.ts';
import { ClientDomains } from './client-domain.ts';
import { Sep10Error, Sep10Unavailable } from './errors.ts';

const HOST = 'wallet.example';
const signingKey = Keypair.random().publicKey();
const serverAccount = Keypair.random().publicKey();
const credentials = selfSigned(HOST);
const lookup: LookupAll = (_host, _options, callback) =>
  callback(null, [{ address: '127.0.0.1', family: 4 }]);

let wallet: Server;
let domain: string;
let nowMs: number;
let requests: string[];
let answer: RequestListener;

beforeAll(async () => {
  wallet = createServer(credentials, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => wallet.listen(0, '127.0.0.1', resolve));
  domain = `${HOST}:${(wallet.address() as AddressInfo).port}`;
});

afterAll(async () => {
  wallet.closeAllConnections();
  await new Promise((resolve) => wallet.close(resolve));
});

beforeEach(() => {
  nowMs = 0;
  requests = [];
  serve(`VERSION = "2.0.0"\nSIGNING_KEY = "${signingKey}"\n`);
});

function serve(toml: string, status = 200): void {
  answer = (_request, response) => response.writeHead(status, { 'content-type': 'text/plain' }).end(toml);
}

function setUp(
  fetch: PublicFetch = createPublicFetch({ ca: credentials.cert, lookup, allowPrivate: [HOST] }),
) {
  return new ClientDomains({ fetch, clock: { monotonic: () => nowMs }, serverAccount });
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof Sep10Error ? error.code : String(error)),
  );
}

describe("a client domain's SIGNING_KEY", () => {
  test('is read from its stellar.toml, the domain in lower case', async () => {
    expect(await setUp().resolve(domain.toUpperCase())).toEqual({ domain, account: signingKey });
    expect(requests).toEqual(['GET /.well-known/stellar.toml']);
  });

  test('is read behind a byte order mark', async () => {
    serve(`\uFEFFSIGNING_KEY = "${signingKey}"\n`);
    expect(await setUp().resolve(domain)).toMatchObject({ account: signingKey });
  });

  test('is fetched once for five minutes and for all who ask meanwhile', async () => {
    const domains = setUp();
    await Promise.all([domains.resolve(domain), domains.resolve(domain)]);
    nowMs = 299_999;
    await domains.resolve(domain);
    expect(requests).toHaveLength(1);
    nowMs = 300_000;
    await domains.resolve(domain);
    expect(requests).toHaveLength(2);
  });

  test('is asked for again ten seconds after a failure', async () => {
    const domains = setUp();
    serve('not here', 404);
    expect(await refusal(domains.resolve(domain))).toBe('client_domain_unreachable');
    serve(`SIGNING_KEY = "${signingKey}"`);
    nowMs = 9_999;
    expect(await refusal(domains.resolve(domain))).toBe('client_domain_unreachable');
    expect(requests).toHaveLength(1);
    nowMs = 10_000;
    expect(await domains.resolve(domain)).toMatchObject({ account: signingKey });
  });

  test.each([
    ['is missing', 'VERSION = "2.0.0"'],
    ['is a seed', `SIGNING_KEY = "${Keypair.random().secret()}"`],
    ['is not text', 'SIGNING_KEY = 7'],
    ['has a typing error', `SIGNING_KEY = "${signingKey.slice(0, -1)}1"`],
    ['is our own', `SIGNING_KEY = "${serverAccount}"`],
    ['is in no TOML', '<html><body>Not found</body></html>'],
  ])('is refused when it %s', async (_what, toml) => {
    serve(toml);
    expect(await refusal(setUp().resolve(domain))).toBe('client_domain_without_key');
  });

  test('is refused behind a redirect, in a file above 100 KB and on an address that is not public', async () => {
    answer = (_request, response) => response.writeHead(301, { location: '/other.toml' }).end();
    expect(await refusal(setUp().resolve(domain))).toBe('client_domain_unreachable');
    serve(`SIGNING_KEY = "${signingKey}"\n#${'x'.repeat(102_400)}`);
    expect(await refusal(setUp().resolve(domain))).toBe('client_domain_unreachable');
    requests = [];
    const guarded = createPublicFetch({ ca: credentials.cert, lookup });
    expect(await refusal(setUp(guarded).resolve(HOST))).toBe('client_domain_unreachable');
    expect(requests).toEqual([]);
  });

  test.each([
    'wallet.example/path',
    'user@wallet.example',
    'https://wallet.example',
    'wallet.example?x',
    'wallet.example#x',
    'wallet .example',
    '-wallet.example',
    'wallet..example',
    'wallet.example.',
    '[::1]',
    'wallet.example:',
    'wallet.example:123456',
    'wället.example',
    `${'a'.repeat(60)}.test`,
  ])('is not looked for at "%s"', async (text) => {
    expect(await refusal(setUp().resolve(text))).toBe('invalid_client_domain');
    expect(requests).toEqual([]);
  });

  test('is not looked for while 32 others are, unless it is known', async () => {
    const open: (() => void)[] = [];
    const domains = setUp((url) => {
      const toml = Buffer.from(`SIGNING_KEY = "${signingKey}"`);
      const response = { status: 200, headers: {}, body: toml };
      if (url.includes('known')) return Promise.resolve(response);
      return new Promise((resolve) => open.push(() => resolve(response)));
    });
    await domains.resolve('known.example');
    const pending = Array.from({ length: 32 }, (_unused, index) => domains.resolve(`w${index}.example`));
    await expect(domains.resolve('one-more.example')).rejects.toThrow(Sep10Unavailable);
    expect(await domains.resolve('known.example')).toMatchObject({ account: signingKey });
    for (const finish of open) finish();
    await Promise.all(pending);
    const late = domains.resolve('one-more.example');
    open.at(-1)?.();
    expect(await late).toMatchObject({ account: signingKey });
  });
});
