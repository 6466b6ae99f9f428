import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { InvalidIntegrationKey } from './errors.ts';
import { decodeKey, decodeKeys, findSignatureProblem, signCall } from './signature.ts';
import { newKey } from './testing/loopback.ts';

const key = fc
  .uint8Array({ minLength: 24, maxLength: 64 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));
const id = fc.stringMatching(/^[\w:/-]{1,100}$/);
const body = fc.string({ unit: 'grapheme', maxLength: 500 });
const nowMs = fc.integer({ min: 0, max: 4_102_444_800_000 });
const tolerance = { toleranceSeconds: 300 };

describe('signCall', () => {
  test('signs what the reference library of Standard Webhooks signs', () => {
    fc.assert(
      fc.property(key, id, body, nowMs, (secret, messageId, payload, time) => {
        const headers = signCall(decodeKeys(`whsec_${secret}`), {
          id: messageId,
          nowMs: time,
          body: payload,
        });
        const reference = new Webhook(secret).sign(messageId, new Date(time), payload);
        expect(headers['webhook-signature']).toBe(reference);
        expect(headers['webhook-timestamp']).toBe(String(Math.floor(time / 1000)));
      }),
    );
  });

  test('is verified by the reference library', () => {
    const secret = newKey();
    const payload = JSON.stringify({ hook: 'fee', amount: '1' });
    const headers = signCall(decodeKeys(secret), { id: 'msg_1', nowMs: Date.now(), body: payload });
    expect(new Webhook(secret).verify(payload, { ...headers })).toEqual({ hook: 'fee', amount: '1' });
  });

  test('signs with every key while one replaces another, so that either side may be first', () => {
    const [old, next] = [newKey(), newKey()];
    const headers = signCall(decodeKeys([next, old]), { id: 'msg_1', nowMs: 0, body: 'x' });
    for (const known of [old, next]) {
      const options = { nowMs: 0, ...tolerance };
      expect(
        findSignatureProblem(decodeKeys(known), { ...headers }, Buffer.from('x'), options),
      ).toBeUndefined();
    }
  });
});

describe('findSignatureProblem', () => {
  const keys = decodeKeys(newKey());
  const signed = (payload: string, time = 1_000_000): Record<string, string> => ({
    ...signCall(keys, { id: 'msg_1', nowMs: time, body: payload }),
  });
  const at = (time: number) => ({ nowMs: time, ...tolerance });

  test('accepts what the reference library signed, any body, id, key and time', () => {
    fc.assert(
      fc.property(key, id, body, nowMs, (secret, messageId, payload, time) => {
        const headers = {
          'webhook-id': messageId,
          'webhook-timestamp': String(Math.floor(time / 1000)),
          'webhook-signature': new Webhook(secret).sign(messageId, new Date(time), payload),
        };
        expect(
          findSignatureProblem(decodeKeys(secret), headers, Buffer.from(payload), at(time)),
        ).toBeUndefined();
      }),
    );
  });

  test.each([
    ['the body', signed('a'), 'b', 'wrong'],
    ['the id', { ...signed('a'), 'webhook-id': 'msg_2' }, 'a', 'wrong'],
    ['the time', { ...signed('a'), 'webhook-timestamp': '1001' }, 'a', 'wrong'],
    [
      'the version',
      { ...signed('a'), 'webhook-signature': signed('a')['webhook-signature']!.replace('v1', 'v2') },
      'a',
      'wrong',
    ],
    ['a signature of another length', { ...signed('a'), 'webhook-signature': 'v1,AAAA' }, 'a', 'wrong'],
    ['an id with a full stop', { ...signed('a'), 'webhook-id': 'msg.1' }, 'a', 'missing'],
    ['a time that is no number', { ...signed('a'), 'webhook-timestamp': '1e3' }, 'a', 'missing'],
    ['no signature', { 'webhook-id': 'msg_1', 'webhook-timestamp': '1000' }, 'a', 'missing'],
  ])('refuses when %s was changed', (_what, headers, payload, problem) => {
    expect(findSignatureProblem(keys, headers, Buffer.from(payload), at(1_000_000))).toBe(problem);
  });

  test('refuses another key, and ignores garbage beside a good signature', () => {
    const headers = signed('a');
    expect(findSignatureProblem(decodeKeys(newKey()), headers, Buffer.from('a'), at(1_000_000))).toBe(
      'wrong',
    );
    headers['webhook-signature'] = `v1a,xxxx v1,!!! ${headers['webhook-signature']}`;
    expect(findSignatureProblem(keys, headers, Buffer.from('a'), at(1_000_000))).toBeUndefined();
  });

  test.each([
    [300, undefined],
    [301, 'stale'],
    [-300, undefined],
    [-301, 'stale'],
  ])('a call that is %d s old is %s', (age, problem) => {
    const found = findSignatureProblem(keys, signed('a'), Buffer.from('a'), at(1_000_000 + age * 1000));
    expect(found).toBe(problem);
  });
});

describe('decodeKey', () => {
  test('reads the key as it is written to a file, with or without prefix', () => {
    const bytes = randomBytes(32);
    expect(decodeKey(` whsec_${bytes.toString('base64')}\n`)).toEqual(bytes);
    expect(decodeKey(bytes.toString('base64'))).toEqual(bytes);
  });

  test.each([
    ['is empty', ''],
    ['is too short', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['is too long', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['is not base64', `whsec_${'*'.repeat(40)}`],
  ])('refuses a key that %s, without printing it', (_what, text) => {
    expect(() => decodeKey(text)).toThrow(InvalidIntegrationKey);
    expect(() => decodeKey(text)).not.toThrow(/\*{4}|AAAA/);
  });

  test('refuses to sign with no key at all', () => {
    expect(() => decodeKeys([])).toThrow(InvalidIntegrationKey);
  });
});
