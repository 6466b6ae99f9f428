import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { LANGUAGES } from '../interactive/locale.ts';
import { BadRequest } from '../middleware/http-error.ts';
import { closeServed } from '../testing/serve.ts';
import { readRequest } from './request.ts';
import { sep24Endpoints } from './routes.ts';
import { isSentenceKey, say, type SentenceKey } from './sentences.ts';
import { collectSep9, SEP9_FIELDS } from './sep9.ts';
import { newAccount, newAnchor, newAsset, serveSep24, type ServedSep24 } from './testing/fixture.ts';

const asset = newAsset();
const anchor = newAnchor([asset]);

/** Values that were trouble somewhere, and any JSON. */
const value = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '__proto__',
    '0000-01-01',
    '9999-12-31T23:59:59.999999999+00:00',
    '1e999',
    '\ud800',
    'a\u0000',
    asset.code,
    asset.issuer ?? '',
    '00000000-0000-0000-0000-000000000000',
    '18446744073709551616',
    -0,
    1e-7,
    5e-324,
  ),
);
/** Requests of an endpoint: its parameters with values of any kind, sometimes with a good asset code. */
const requestOf = (names: readonly string[]) =>
  fc
    .dictionary(fc.constantFrom(...names, ...SEP9_FIELDS.slice(0, 3)), value, { maxKeys: 6 })
    .chain((some) => fc.constantFrom(some, { asset_code: asset.code, ...some }));

describe('the table of endpoints', () => {
  test.each(sep24Endpoints)(
    '$method $path refuses whatever it does not read with a sentence',
    ({ schema }) => {
      fc.assert(
        fc.property(fc.oneof(value, requestOf(Object.keys(schema.shape))), (input) => {
          const thrown = thrownBy(() => readRequest(schema, input));
          expect(thrown === undefined || thrown instanceof BadRequest).toBe(true);
          expect(thrown?.message ?? 'Read.').toMatch(/^[^\n]{1,200}\.$/);
        }),
        { numRuns: 300 },
      );
    },
  );

  test('SEP-9 values of any kind are collected as text or refused', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...SEP9_FIELDS), value), (input) => {
        const thrown = thrownBy(() => {
          for (const text of Object.values(collectSep9(input))) expect(typeof text).toBe('string');
        });
        expect(thrown === undefined || thrown instanceof BadRequest).toBe(true);
      }),
    );
    expect(new Set(SEP9_FIELDS).size).toBe(SEP9_FIELDS.length);
  });

  describe('over HTTP', () => {
    let db: TestDatabase;
    let app: ServedSep24;
    beforeAll(async () => {
      db = await createTestDatabase();
      app = await serveSep24(db.database, () => anchor);
    });
    afterAll(async () => {
      await closeServed();
      await db.drop();
    });

    test('says of every endpoint whether it wants a token', async () => {
      for (const { method, path, auth } of sep24Endpoints) {
        const response = await fetch(app.url + path, { method });
        await response.text();
        expect([path, response.status === 403]).toEqual([path, auth === 'token']);
        expect([path, response.status]).not.toEqual([path, 404]);
      }
    });

    test('nothing that a wallet can send is answered with anything but 2xx or a 4xx in JSON', async () => {
      const token = app.token(newAccount());
      const endpoints = fc.constantFrom(...sep24Endpoints).chain((endpoint) =>
        fc.record({
          endpoint: fc.constant(endpoint),
          input: requestOf(Object.keys(endpoint.schema.shape)),
        }),
      );
      await fc.assert(
        fc.asyncProperty(endpoints, async ({ endpoint, input }) => {
          const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
          const query = new URLSearchParams();
          for (const [name, given] of Object.entries(input)) {
            query.set(name, typeof given === 'string' ? given : JSON.stringify(given));
          }
          const response =
            endpoint.method === 'POST'
              ? await fetch(app.url + endpoint.path, { method: 'POST', headers, body: JSON.stringify(input) })
              : await fetch(`${app.url}${endpoint.path}?${query.toString()}`, { headers });
          const body = (await response.json()) as { error?: unknown };
          expect(response.status).toBeLessThan(500);
          expect(typeof body.error).toBe(response.ok ? 'undefined' : 'string');
        }),
        { numRuns: 300 },
      );
    });
  });
});

function thrownBy(work: () => unknown): Error | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

test('every sentence for customers is whole in every language', () => {
  const keys = ['amount_too_small', 'amount_too_large', 'too_many_decimals', 'nothing_left'] as const;
  for (const lang of LANGUAGES) {
    for (const key of keys) {
      const sentence = say(key, lang, { limit: '12.5', asset: 'SRT' });
      expect(sentence).toMatch(/^[^{}]*\.$/);
      expect([sentence.includes('12.5'), sentence.includes('SRT')]).toEqual([true, true]);
    }
    expect(say('deposit_disabled', lang, { asset: 'native' })).toContain('XLM');
    const others: SentenceKey[] = ['asset_not_offered', 'account_not_found', 'transaction_not_found'];
    for (const key of others) expect(say(key, lang)).toMatch(/^[^{}]+\.$/);
  }
  expect(isSentenceKey('toString')).toBe(false);
});
