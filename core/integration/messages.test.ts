import { describe, expect, test } from '@jest/globals';
import { REQUEST_LIMIT_BYTES, hooks, hookNames } from './contract.ts';
import { IntegrationMisbehaved, IntegrationRequestInvalid } from './errors.ts';
import { prepare } from './messages.ts';
import { aTransaction } from './testing/loopback.ts';

const page = (...ids: string[]) => ({ deposits: ids.map((id) => aTransaction({ id })) });

describe('a page of deposits', () => {
  test('carries the good transactions, and names the one that breaks the contract', () => {
    const deposits = [
      aTransaction({ id: 'a' }),
      aTransaction({ id: 'b', account: 'nonsense' }),
      aTransaction({ id: 'c' }),
    ];
    const { body, read } = prepare('deposits/poll', { deposits });
    const sent = JSON.parse(body) as { hook: string; deposits: { id: string }[] };
    expect(sent.hook).toBe('deposits/poll');
    expect(sent.deposits.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(read({ results: [] }).malformed).toEqual([
      { id: 'b', problem: 'account: must be a Stellar address', by: 'capstan' },
    ]);
  });

  test('leaves out what customers typed, so that none of them can make it too large', () => {
    const fields = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`f${i}`, 'x'.repeat(4000)]));
    const deposits = Array.from({ length: 200 }, (_, i) =>
      aTransaction({ id: `d-${i}`, fields, message: 'm' }),
    );
    const { body } = prepare('deposits/poll', { deposits });
    expect(body).not.toContain('xxx');
    expect(Buffer.byteLength(body)).toBeLessThan(REQUEST_LIMIT_BYTES / 4);
  });

  test('takes the good results, and sets aside each that is malformed, not asked for, or said twice', () => {
    const { read } = prepare('deposits/poll', page('a', 'b', 'c', 'd', 'e'));
    const arrived = { outcome: 'arrived', amount: '10', reference: 'B-1' };
    const { results, malformed } = read({
      results: [
        { id: 'a', ...arrived },
        { id: 'b', ...arrived, amount: '-10' },
        { id: 'c', outcome: 'held', reason: 'look' },
        { id: 'd', ...arrived },
        { id: 'd', outcome: 'refused', reason: 'no' },
        { id: 'z', ...arrived },
        'nonsense',
      ],
    });
    expect(results.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(malformed).toEqual([
      { id: 'b', problem: expect.stringMatching(/^amount: write/), by: 'integration' },
      { id: 'z', problem: 'it was not asked for', by: 'integration' },
      { problem: expect.stringContaining('expected object'), by: 'integration' },
      { id: 'd', problem: 'it has more than one result', by: 'integration' },
    ]);
  });

  test('of 201 is not sent, and an answer that is no page is refused whole', () => {
    const tooMany = page(...Array.from({ length: 201 }, (_, i) => `d-${i}`));
    expect(() => prepare('deposits/poll', tooMany)).toThrow(IntegrationRequestInvalid);
    const { read } = prepare('deposits/poll', page('a'));
    expect(() => read({ results: 'none' })).toThrow(IntegrationMisbehaved);
    expect(() => read({ results: Array.from({ length: 201 }, () => ({})) })).toThrow(IntegrationMisbehaved);
  });
});

describe('a page of withdrawals', () => {
  test('knows outcomes of its own', () => {
    const { read } = prepare('withdrawals/poll', {
      withdrawals: [aTransaction({ id: 'w', kind: 'withdrawal' })],
    });
    const result = { id: 'w', outcome: 'completed', reference: 'B-2', amount: '9.5' };
    expect(read({ results: [result] })).toEqual({ results: [result], malformed: [] });
    expect(read({ results: [{ id: 'w', outcome: 'arrived' }] }).malformed[0]?.problem).toMatch(/outcome/);
  });
});

describe('the contract', () => {
  const responses: [string, keyof typeof hooks, unknown, boolean][] = [
    [
      'a reference with a blank at its end',
      'withdrawals/process',
      { outcome: 'completed', reference: 'B-1 ' },
      false,
    ],
    [
      'a reference that is not ASCII',
      'withdrawals/process',
      { outcome: 'completed', reference: 'Б-1' },
      false,
    ],
    ['completion without a reference', 'withdrawals/process', { outcome: 'completed' }, false],
    ['a refund of all', 'withdrawals/process', { outcome: 'refund', reason: 'closed account' }, true],
    ['a refund of nothing', 'withdrawals/process', { outcome: 'refund', reason: 'x', amount: '0.00' }, false],
    [
      'a refund whose amount is misspelt',
      'withdrawals/process',
      { outcome: 'refund', reason: 'x', ammount: '1' },
      false,
    ],
    ['an amount with a sign', 'withdrawals/process', { outcome: 'refund', reason: 'x', amount: '+1' }, false],
    [
      'an amount above the ledger’s',
      'withdrawals/process',
      { outcome: 'refund', reason: 'x', amount: '999999999999' },
      false,
    ],
    ['retry', 'withdrawals/process', { outcome: 'retry', after: 30 }, true],
    ['invalid without a field', 'withdrawals/process', { outcome: 'invalid', errors: {} }, false],
    ['a form that is done', 'interactive/form', { done: true }, true],
    [
      'a form with two fields of one name',
      'interactive/form',
      { title: 't', fields: [1, 2].map(() => ({ type: 'text', name: 'a', label: 'A' })) },
      false,
    ],
    [
      'an address beside a field of its own name for a part',
      'interactive/form',
      {
        title: 't',
        fields: [
          { type: 'address', name: 'home', label: 'Home' },
          { type: 'text', name: 'city', label: 'City' },
        ],
      },
      false,
    ],
    [
      'an address, a card and a file',
      'interactive/form',
      {
        title: 't',
        progress: { at: 2, of: 3 },
        back: 'one',
        fields: [
          { type: 'address', name: 'address', label: 'Home', value: { city: 'Quito' } },
          { type: 'card', name: 'card.number', part: 'number', label: 'Card number' },
          { type: 'file', name: 'photo_id_front', label: 'Passport', accept: ['image/jpeg'] },
        ],
      },
      true,
    ],
    [
      'progress beyond its end',
      'interactive/form',
      { title: 't', fields: [], progress: { at: 3, of: 2 } },
      false,
    ],
    [
      'a form that is done, with a summary',
      'interactive/form',
      { done: true, summary: [{ label: 'Name', value: 'Ada', step: 'you' }] },
      true,
    ],
    [
      'a form with an unknown kind of field',
      'interactive/form',
      { title: 't', fields: [{ type: 'password', name: 'a', label: 'A' }] },
      false,
    ],
    [
      'a field named __proto__',
      'interactive/form',
      { title: 't', fields: [{ type: 'text', name: '__proto__', label: 'A' }] },
      false,
    ],
    ['a URL with a script', 'interactive/url', { url: 'javascript:alert(1)' }, false],
    ['an error for a field', 'interactive/submit', { errors: { email_address: 'Not an address.' } }, true],
    ['a TOML document', 'toml', { document: { DOCUMENTATION: { ORG_NAME: 'Harbor' } } }, true],
  ];
  test.each(responses)('judges %s', (_what, hook, answer, isGood) => {
    expect(hooks[hook].response.safeParse(answer).success).toBe(isGood);
  });

  test('says what is wrong in the branch that was meant, not in all branches of a union', () => {
    const { read } = prepare('interactive/form', { transaction: aTransaction(), lang: 'en' });
    expect(() => read({ title: 't', fields: [{ type: 'text', name: '1', label: 'A' }] })).toThrow(
      /fields\.0\.name: must be a field name/,
    );
  });

  test('makes every key of an answer that is a name of a person invisible in errors', () => {
    const { read } = prepare('fee', {
      operation: 'deposit',
      asset: { code: 'native' },
      amount: '1',
      lang: 'en',
    });
    expect(() => read({ total: '1', details: [], 'maria@example.com': 1 })).toThrow(
      /does not know: \(a key\)/,
    );
  });

  test('requires a key exactly for the hooks that change something', () => {
    expect(hookNames.filter((hook) => hooks[hook].effect)).toEqual([
      'deposits/completed',
      'deposits/refund',
      'withdrawals/process',
      'trustlines/authorize',
      'interactive/submit',
      'interactive/upload',
      'interactive/completed',
      'customers/prefill',
    ]);
  });
});
