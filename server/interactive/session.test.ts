import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createFakeClock, type FakeClock } from '../../core/runtime/fake-clock.ts';
import { openStage, type Stage } from './testing/stage.ts';
import { originOf } from './origin.ts';
import { issueToken } from './tokens.ts';

const BOUND_TO = `G${'B'.repeat(55)}`;
let stage: Stage;
let clock: FakeClock;
beforeAll(async () => {
  clock = createFakeClock(Date.now());
  stage = await openStage({ clock });
});
afterAll(() => stage.stop());

const pageOf = (id: string): string => `/sep24/interactive?transaction_id=${id}`;

describe('the one-time link', () => {
  test('becomes a session and a URL without the token', async () => {
    const transaction = await stage.create();
    const browser = stage.browser();
    const answer = await browser.open(stage.links.interactive(transaction, 'es'), { follow: false });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`${pageOf(transaction.id)}&lang=es`);
    const cookie = answer.headers.getSetCookie();
    expect(cookie).toHaveLength(1);
    expect(cookie[0]).toMatch(
      /^__Host-capstan-[0-9a-f]{12}=[^;]+; Path=\/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax$/,
    );
    const page = await browser.open(answer.headers.get('location')!);
    expect(page.body).toContain('<html lang="es" dir="ltr">');
  });

  test('is refused in a second browser, while the first one may load it again', async () => {
    const transaction = await stage.create();
    const link = stage.links.interactive(transaction, 'en');
    const first = stage.browser();
    expect((await first.open(link)).status).toBe(200);
    const second = await stage.browser().open(link);
    expect(second.status).toBe(403);
    expect(second.headers.getSetCookie()).toEqual([]);
    expect(second.body).toContain('This link has been used already');
    expect((await first.open(link)).status).toBe(200);
  });

  test('of ten browsers at the same moment lets one in', async () => {
    const link = stage.links.interactive(await stage.create(), 'en');
    const pages = await Promise.all(Array.from({ length: 10 }, () => stage.browser().open(link)));
    expect(pages.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      200,
      ...Array<number>(9).fill(403),
    ]);
  });

  test('is not used up by a preview, a prefetch or a HEAD', async () => {
    const link = stage.links.interactive(await stage.create(), 'en');
    await stage.browser().open(link, { method: 'HEAD' });
    await stage.browser().open(link, { headers: { 'Sec-Purpose': 'prefetch;prerender' } });
    expect((await stage.browser().open(link)).status).toBe(200);
  });

  test('dies after ten minutes, and a session after an hour', async () => {
    const transaction = await stage.create();
    const link = stage.links.interactive(transaction, 'en');
    const browser = await stage.enter(transaction);
    await clock.advance(600_000);
    const late = await stage.browser().open(link);
    expect([late.status, late.body]).toEqual([403, expect.stringContaining('This link is not valid')]);
    expect((await browser.open(pageOf(transaction.id))).status).toBe(200);
    await clock.advance(3_000_000);
    expect((await browser.open(pageOf(transaction.id))).status).toBe(403);
  });

  test.each(['more-info', 'session'] as const)(
    'a token made for "%s" does not open the form',
    async (kind) => {
      const transaction = await stage.create();
      const token = issueToken({ keys: stage.keys, clock }, kind, transaction, { jti: 'x' });
      const page = await stage.browser().open(`${pageOf(transaction.id)}&token=${token}`);
      expect(page.status).toBe(403);
    },
  );

  test('a token of another transaction, another memo or another account opens nothing', async () => {
    const transaction = await stage.create({ subject: `${BOUND_TO}:1` });
    const others = [
      { id: (await stage.create()).id, subject: transaction.subject },
      { id: transaction.id, subject: `${BOUND_TO}:2` },
      { id: transaction.id, subject: BOUND_TO },
    ];
    for (const other of others) {
      const token = issueToken({ keys: stage.keys, clock }, 'interactive', other, { jti: other.subject });
      const page = await stage.browser().open(`${pageOf(transaction.id)}&token=${token}`);
      expect(page.status).toBe(403);
    }
  });

  test.each([
    ['javascript:alert(1)//'],
    ['http://wallet.example/callback'],
    ['https://user:password@wallet.example/'],
    ['https://10.0.0.1/'],
    ['https://[::1]/'],
    ["postMessage'-alert(1)-'"],
    ['data:text/html,x'],
  ])('a callback "%s" is refused before the link is used up', async (callback) => {
    const transaction = await stage.create();
    const link = stage.links.interactive(transaction, 'en');
    for (const name of ['callback', 'on_change_callback']) {
      const refused = await stage.browser().open(`${link}&${name}=${encodeURIComponent(callback)}`);
      expect(refused.status).toBe(400);
      expect(refused.body).not.toContain(callback);
    }
    expect(await stage.find(transaction.id)).toMatchObject({
      callback: null,
      onChangeCallback: null,
      version: 1,
    });
    expect((await stage.browser().open(link)).status).toBe(200);
  });

  test('callbacks that are good are kept with the transaction, and unknown parameters do no harm', async () => {
    const transaction = await stage.create();
    const query =
      '&callback=postmessage&on_change_callback=https%3A%2F%2Fwallet.example%2Fcb%3Fa%3D1&theme=dark';
    await stage.enter(transaction, { query });
    expect(await stage.find(transaction.id)).toMatchObject({
      callback: 'postMessage',
      onChangeCallback: 'https://wallet.example/cb?a=1',
      status: 'incomplete',
    });
  });
});

describe('a session', () => {
  test('of one transaction opens no other, not even its customer’s own', async () => {
    const [mine, other] = [await stage.create(), await stage.create()];
    const browser = await stage.enter(mine);
    expect((await browser.open(pageOf(other.id))).status).toBe(403);
    const form = await browser.open(pageOf(mine.id));
    const csrf = /name="csrf" value="([^"]+)"/.exec(form.body)![1]!;
    const sent = await browser.post(
      pageOf(other.id),
      new URLSearchParams({ csrf, action: 'amount', amount: '5' }),
    );
    expect(sent.status).toBe(403);
    expect((await stage.find(other.id)).version).toBe(1);
  });

  test('under the cookie name of another transaction is refused', async () => {
    const [mine, other] = [await stage.create(), await stage.create()];
    const browser = await stage.enter(mine);
    const [value] = browser.cookies.values();
    const thief = stage.browser();
    thief.cookies.set(`__Host-capstan-${other.id.replaceAll('-', '').slice(0, 12)}`, value!);
    expect((await thief.open(pageOf(other.id))).status).toBe(403);
  });

  test('of the same account with another memo is refused, on pages and on forms', async () => {
    const transaction = await stage.create({ subject: `${BOUND_TO}:1` });
    const browser = stage.browser();
    const stolen = { id: transaction.id, subject: `${BOUND_TO}:2` };
    const token = issueToken({ keys: stage.keys, clock }, 'session', stolen, { csrf: 'c' });
    browser.cookies.set(`__Host-capstan-${transaction.id.replaceAll('-', '').slice(0, 12)}`, token);
    expect((await browser.open(pageOf(transaction.id))).status).toBe(403);
    const body = new URLSearchParams({ csrf: 'c', action: 'amount', amount: '5' });
    expect((await browser.post(pageOf(transaction.id), body)).status).toBe(403);
  });

  test('two transactions in one browser do not meet', async () => {
    const [one, two] = [await stage.create(), await stage.create({ kind: 'withdrawal' })];
    const browser = await stage.enter(one);
    await browser.open(stage.links.interactive(two, 'en'));
    expect((await browser.open(pageOf(one.id))).body).toContain('Deposit SRT');
    expect((await browser.open(pageOf(two.id))).body).toContain('Withdraw SRT');
  });

  test.each(['', 'not-a-uuid', "' or 1=1 --", '00000000-0000-4000-8000-000000000000'])(
    'a transaction id "%s" is answered like one that is not theirs',
    async (id) => {
      for (const path of [
        'interactive?transaction_id=',
        'interactive/fee?transaction_id=',
        'more_info?id=',
      ]) {
        const page = await stage.browser().open(`/sep24/${path}${encodeURIComponent(id)}&token=x`);
        expect([page.status, page.body]).toEqual([403, expect.stringContaining('This link is not valid')]);
      }
    },
  );

  test('a parameter that is given twice is refused', async () => {
    const { id } = await stage.create();
    const page = await stage.browser().open(`${pageOf(id)}&transaction_id=${id}`);
    expect(page.status).toBe(400);
  });
});

describe('forged forms', () => {
  const forge = async (
    fields: Record<string, string | undefined>,
    headers: Record<string, string> = {},
  ): Promise<number> => {
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    const form = await browser.open(pageOf(transaction.id));
    const answer = await browser.submit(form, { amount: '100', ...fields }, { headers });
    expect((await stage.find(transaction.id)).version).toBe(answer.status === 200 ? 2 : 1);
    return answer.status;
  };

  test('without the secret, or with another one, nothing happens', async () => {
    expect(await forge({ csrf: undefined })).toBe(403);
    expect(await forge({ csrf: '' })).toBe(403);
    expect(await forge({ csrf: 'A'.repeat(22) })).toBe(403);
    expect(await forge({})).toBe(200);
  });

  test('from another origin nothing happens, even with the secret', async () => {
    expect(await forge({}, { Origin: 'https://evil.example' })).toBe(403);
    expect(await forge({}, { Origin: 'null' })).toBe(403);
    expect(await forge({}, { Origin: '', 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await forge({}, { Origin: '', 'Sec-Fetch-Site': 'same-site' })).toBe(403);
    expect(await forge({}, { Origin: '', 'Sec-Fetch-Site': 'same-origin' })).toBe(200);
    expect(await forge({}, { Origin: '' })).toBe(200);
  });

  test('the secret of another session of the same customer is of no use', async () => {
    const [one, two] = [await stage.create(), await stage.create()];
    const browser = await stage.enter(one);
    await browser.open(stage.links.interactive(two, 'en'));
    const form = await browser.open(pageOf(one.id));
    const csrf = /name="csrf" value="([^"]+)"/.exec(form.body)![1]!;
    const answer = await browser.post(
      pageOf(two.id),
      new URLSearchParams({ csrf, action: 'amount', amount: '5' }),
    );
    expect(answer.status).toBe(403);
  });

  test('an action that no form has is refused', async () => {
    expect(await forge({ action: 'finish' })).toBe(400);
  });
});

describe('cookies', () => {
  test('are partitioned where the pages may be framed, and plain only on a loopback host without TLS', async () => {
    const framed = await openStage({
      bend: (spec) => {
        spec.server = { frameAncestors: ['https://wallet.example'] };
      },
    });
    const answer = await framed
      .browser()
      .open(framed.links.interactive(await framed.create(), 'en'), { follow: false });
    expect(answer.headers.getSetCookie()[0]).toMatch(/; HttpOnly; Secure; SameSite=None; Partitioned$/);
    expect(answer.headers.get('content-security-policy')).toContain('frame-ancestors https://wallet.example');
    await framed.stop();
    const local = await openStage({
      bend: (spec) => {
        spec.host = 'localhost:8000';
      },
      deps: { insecureLoopback: true },
    });
    const plain = await local
      .browser()
      .open(local.links.interactive(await local.create(), 'en'), { follow: false });
    expect(plain.headers.getSetCookie()[0]).toMatch(
      /^capstan-[0-9a-f]{12}=[^;]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/,
    );
    await local.stop();
  });

  test.each(['anchor.harbor.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1'])(
    'plain HTTP on %s is refused at the start',
    (host) => {
      expect(() => originOf({ host }, { insecureLoopback: true })).toThrow(/only a loopback host/);
    },
  );
});
