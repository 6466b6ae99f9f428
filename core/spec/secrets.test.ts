import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { readManifest } from './manifest.ts';
import { InvalidSeed, KeyedData, readSeed, secretRefs } from './secrets.ts';
import { testAnchor, testKeys, yamlOf } from './test-manifest.ts';

const ref = { name: 'harbor-keys', key: 'srt' };

describe('secretRefs', () => {
  test('says which Secret and key hold what, by purpose and by account', () => {
    const anchor = testAnchor();
    anchor.spec.sessionKey = { secretRef: { name: 's', key: 'session' } };
    anchor.spec.integration.key = { secretRef: { name: 's', key: 'hmac' } };
    const refs = secretRefs(readManifest(yamlOf(anchor), 'a.yaml').anchors[0]!);
    expect(refs).toEqual({
      signingSeed: { name: 'harbor-keys', key: 'signing' },
      sessionKey: { name: 's', key: 'session' },
      distributionSeeds: new Map([[anchor.spec.assets[0].distribution.account, ref]]),
      databaseUrl: { name: 'harbor-db', key: 'url' },
      integrationKey: { name: 's', key: 'hmac' },
    });
  });

  test('leaves out what is to be generated', () => {
    const anchor = testAnchor();
    anchor.spec.database = { embedded: {} };
    const refs = secretRefs(readManifest(yamlOf(anchor), 'a.yaml').anchors[0]!);
    expect(Object.keys(refs).sort()).toEqual(['distributionSeeds', 'signingSeed']);
  });
});

describe('readSeed', () => {
  test("answers the named account's seed without the blanks around it", () => {
    const { account, seed } = testKeys();
    expect(readSeed(` ${seed}\n`, account, ref)).toBe(seed);
  });

  test('names both accounts, the Secret and the key where the seed is of another account, and never the seed', () => {
    const [mine, other] = [testKeys(), testKeys()];
    const read = (): string => readSeed(other.seed, mine.account, ref);
    expect(read).toThrow(InvalidSeed);
    expect(read).toThrow(/Secret harbor-keys, key srt/);
    expect(read).toThrow(new RegExp(`${other.account}.*${mine.account}`));
    expect(read).not.toThrow(new RegExp(other.seed));
  });

  test.each([
    ['empty', () => ''],
    ['a public key', () => testKeys().account],
    ['a seed with one character mistyped', () => testKeys().seed.replace(/.$/, '1')],
    ['two seeds', () => `${testKeys().seed} ${testKeys().seed}`],
  ])('refuses %s without repeating it', (_, make) => {
    const text = make();
    const { account } = testKeys();
    expect(() => readSeed(text, account, ref)).toThrow(/^Secret harbor-keys, key srt: holds no seed for G/);
    expect(() => readSeed(text, account, ref)).not.toThrow(text.slice(0, 20) || 'undefined');
  });
});

describe('KeyedData', () => {
  const data = new KeyedData(
    'Secret',
    { name: 'k', namespace: 'n' },
    new Map([
      ['a', Buffer.from('hush')],
      ['b', Buffer.of(0xff, 0xfe)],
    ]),
  );

  test('gives text as text and bytes as bytes', () => {
    expect(data.text('a')).toBe('hush');
    expect(data.text('b')).toBeUndefined();
    expect(data.bytes('b')).toEqual(Buffer.of(0xff, 0xfe));
    expect(data.text('c')).toBeUndefined();
  });

  test('shows its keys and never a value, in JSON and in a log', () => {
    const shown = { kind: 'Secret', namespace: 'n', name: 'k', keys: ['a', 'b'] };
    expect(JSON.parse(JSON.stringify(data))).toEqual(shown);
    expect(inspect({ data }, { depth: 9, showHidden: true })).not.toMatch(/hush|104, 117/);
  });
});
