import { describe, expect, test } from '@jest/globals';
import { SecretUnusable } from '../runtime/config.ts';
import { resolveAnchor } from '../spec/resolve.ts';
import { readManifest, soleAnchor } from '../spec/manifest.ts';
import { secretRefs } from '../spec/secrets.ts';
import { testAnchor, testKeys, yamlOf } from '../spec/test-manifest.ts';
import { checkKeys } from './keys.ts';

const [signing, distribution, other] = [testKeys(), testKeys(), testKeys()];
const manifest = testAnchor();
manifest.spec.signingKey.account = signing.account;
manifest.spec.assets[0].distribution.account = distribution.account;
manifest.spec.sessionKey = { secretRef: { name: 'session', key: 'session' } };
manifest.spec.integration.key = { secretRef: { name: 'hmac', key: 'key' } };
const read = soleAnchor(readManifest(yamlOf(manifest), 'test.yaml'), 'test.yaml');

const GOOD: Readonly<Record<string, string>> = {
  'harbor-keys/signing': signing.seed,
  'harbor-keys/srt': distribution.seed,
  'session/session': 's'.repeat(64),
  'hmac/key': `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
};

const checks = (changes: Readonly<Record<string, string | undefined>>) =>
  checkKeys({
    anchor: resolveAnchor(read),
    refs: secretRefs(read),
    readSecret: async (ref) => {
      const value: string | undefined = { ...GOOD, ...changes }[`${ref.name}/${ref.key}`];
      if (value === undefined) throw new SecretUnusable(ref, 'is not mounted');
      return value;
    },
  });

describe('the check of keys', () => {
  test('passes keys that are of use, each with what it is for', async () => {
    const all = await checks({});
    expect(all.map(({ purpose, ok }) => [purpose, ok])).toEqual([
      ['signing', true],
      ['session', true],
      ['integration', true],
      ['distribution', true],
    ]);
    expect(all[3]).toEqual({
      purpose: 'distribution',
      secret: 'harbor-keys',
      key: 'srt',
      account: distribution.account,
      ok: true,
    });
  });

  test.each([
    ['harbor-keys/srt', undefined, 'missing'],
    ['harbor-keys/srt', other.seed, 'wrong_account'],
    ['harbor-keys/srt', 'not a seed at all', 'malformed'],
    ['harbor-keys/srt', distribution.account, 'malformed'],
    ['harbor-keys/signing', other.seed, 'wrong_account'],
    ['session/session', 'short-one', 'malformed'],
    ['hmac/key', 'not-a-whsec', 'malformed'],
  ])('%s holding %s is %s: the key is named, the value never', async (where, value, code) => {
    const bad = (await checks({ [where]: value })).filter(({ ok }) => !ok);
    expect(bad.map(({ secret, key, problem }) => [`${secret}/${key}`, problem?.code])).toEqual([
      [where, code],
    ]);
    const written = JSON.stringify(bad);
    for (const secret of [value, ...Object.values(GOOD)].filter((one) => one !== distribution.account))
      expect(written).not.toContain(secret ?? '\u0000');
  });
});
