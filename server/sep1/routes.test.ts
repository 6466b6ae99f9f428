import { afterEach, describe, expect, test } from '@jest/globals';
import { StellarToml } from '@stellar/stellar-sdk';
import { createFakeClock } from '../../core/runtime/fake-clock.ts';
import { createLog } from '../../core/runtime/log.ts';
import { anchorOf } from '../testing/anchor.ts';
import { closeServed, serve } from '../testing/serve.ts';
import { createSep1Router, STELLAR_TOML_PATH } from './routes.ts';
import { createStellarToml } from './source.ts';
import type { StellarTomlOptions, TomlAddition } from './source.ts';

const anchor = anchorOf();
afterEach(closeServed);

async function start(options: Partial<StellarTomlOptions> = {}) {
  const lines: string[] = [];
  const clock = createFakeClock();
  const log = createLog({
    name: 'server',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  const toml = createStellarToml({ anchor, clock, log, ...options });
  const app = await serve([createSep1Router(toml)]);
  const url = `${app.url}${STELLAR_TOML_PATH}`;
  const get = (headers = {}): Promise<Response> => fetch(url, { headers, redirect: 'error' });
  return { toml, clock, lines, get, host: new URL(app.url).host };
}

describe('GET /.well-known/stellar.toml', () => {
  test("is read by stellar-sdk's resolver", async () => {
    const { host } = await start();
    const read = await StellarToml.Resolver.resolve(host, { allowHttp: true });
    expect(read).toMatchObject({
      SIGNING_KEY: anchor.signingAccount,
      NETWORK_PASSPHRASE: anchor.network.passphrase,
      WEB_AUTH_ENDPOINT: `https://${anchor.host}/auth`,
      DOCUMENTATION: { ORG_NAME: 'Harbor' },
      CURRENCIES: [{ code: 'SRT', issuer: anchor.assets[0]?.issuer }],
    });
  });

  test('is plain text that any origin may read and keep for a minute', async () => {
    const { get } = await start();
    const { status, headers } = await get({ Origin: 'https://wallet.example' });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('cache-control')).toBe('public, max-age=60');
    expect(headers.get('etag')).toMatch(/^"[\w-]{27}"$/);
  });

  test('is 304 without a body for whoever has it, by a list, weakly or by *', async () => {
    const { get } = await start();
    const etag = (await get()).headers.get('etag') ?? '';
    for (const given of [etag, `"other", ${etag}`, `W/${etag}`, '*']) {
      const response = await get({ 'If-None-Match': given });
      expect([response.status, await response.text()]).toEqual([304, '']);
      expect(response.headers.get('etag')).toBe(etag);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
    }
    expect((await get({ 'If-None-Match': '"other"' })).status).toBe(200);
  });

  test('changes with the spec at once, its ETag too', async () => {
    const { get, toml } = await start();
    const before = (await get()).headers.get('etag');
    toml.setAnchor(anchorOf((spec) => (spec.organization.name = 'Lighthouse')));
    const after = await get({ 'If-None-Match': before });
    expect(await after.text()).toContain('ORG_NAME = "Lighthouse"');
    expect(after.headers.get('etag')).not.toBe(before);
  });

  test("merges the spec's toml, then the integration's answer, as text or as JSON", async () => {
    const bent = anchorOf(
      (spec) => (spec.toml = 'FEDERATION_SERVER = "https://spec.example"\n[DOCUMENTATION]\nORG_DBA = "Spec"'),
    );
    const answers: TomlAddition[] = [
      { toml: '[DOCUMENTATION]\nORG_DBA = "Text"' },
      { document: { DOCUMENTATION: { ORG_DBA: 'JSON' } } },
    ];
    const { get, toml } = await start({ anchor: bent, hook: async () => answers.shift() });
    for (const expected of ['Text', 'JSON']) {
      await toml.refresh();
      const text = await (await get()).text();
      expect(text).toContain(`ORG_DBA = "${expected}"`);
      expect(text).toContain('https://spec.example');
    }
  });
});

describe('the toml hook', () => {
  test('is asked in the background, at most once per TTL, and no request waits for it', async () => {
    let asked = 0;
    const release = Promise.withResolvers<void>();
    const hook = async (): Promise<TomlAddition> => {
      asked += 1;
      await release.promise;
      return { toml: `[DOCUMENTATION]\nORG_DBA = "Answer ${asked}"` };
    };
    const { get, toml, clock } = await start({ hook, ttlMs: 1_000 });
    expect(await (await get()).text()).not.toContain('Answer');
    await get();
    expect(asked).toBe(1);
    release.resolve();
    await toml.refresh();
    expect(await (await get()).text()).toContain('Answer 1');
    await clock.advance(1_000);
    await get();
    expect(asked).toBe(2);
    expect(await (await get()).text()).toContain('Answer 2');
  });

  test.each<[string, () => Promise<TomlAddition>, string]>([
    ['fails', () => Promise.reject(new Error('connection refused')), 'connection refused'],
    ['answers no TOML', async () => ({ toml: 'A = = 1' }), 'it is no TOML'],
    ['answers too much', async () => ({ document: { A: 'x'.repeat(110_000) } }), 'wallets read 102400'],
  ])('that %s leaves the last good text, and the log says why', async (_what, bad, why) => {
    const good: TomlAddition = { toml: '[DOCUMENTATION]\nORG_DBA = "Good"' };
    let isBad = false;
    const { get, toml, lines } = await start({ hook: async () => (isBad ? await bad() : good) });
    await toml.refresh();
    isBad = true;
    await toml.refresh();
    expect(await (await get()).text()).toContain('ORG_DBA = "Good"');
    expect(lines.join('')).toContain(why);
  });

  test('cannot redirect a wallet to another key, and the log says that it tried', async () => {
    const { get, toml, lines } = await start({ hook: async () => ({ toml: 'SIGNING_KEY = "GELSEWHERE"' }) });
    await toml.refresh();
    expect(await (await get()).text()).toContain(`SIGNING_KEY = "${anchor.signingAccount}"`);
    expect(lines.join('')).toContain('"keys":["SIGNING_KEY"]');
  });
});
