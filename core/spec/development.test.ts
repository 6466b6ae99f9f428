import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  completeForDevelopment,
  DEVELOPMENT_SECRET,
  developmentNeeds,
  developmentSeedRef,
} from './development.ts';
import type { DevelopmentKeys } from './development.ts';
import { checkManifest, parseManifest } from './manifest.ts';
import { ManifestErrors } from './problems.ts';
import { resolveAnchor } from './resolve.ts';
import { testAnchor, testKeys, yamlOf } from './test-manifest.ts';
import type { Loose } from './test-manifest.ts';

const keys: DevelopmentKeys = {
  signing: testKeys().account,
  issuers: new Map([['SRT', testKeys().account]]),
  distributions: new Map([['SRT', testKeys().account]]),
};

function bare(network: string): Loose {
  const anchor = testAnchor();
  anchor.spec.network.name = network;
  delete anchor.spec.signingKey;
  delete anchor.spec.assets[0].issuer;
  delete anchor.spec.assets[0].distribution;
  return anchor;
}

function problemPaths(text: string): readonly string[] {
  try {
    checkManifest([completeForDevelopment(parseManifest(text, 'a.yaml'), keys)]);
    return [];
  } catch (error) {
    if (error instanceof ManifestErrors) return error.problems.map(({ path }) => path);
    throw error;
  }
}

describe('a manifest for development', () => {
  test.each(['local', 'testnet'])('gets the keys that it leaves out on %s', (network) => {
    const parsed = parseManifest(yamlOf(bare(network)), 'a.yaml');
    expect(developmentNeeds(parsed)).toEqual({ signing: true, issuers: ['SRT'], distributions: ['SRT'] });
    const [anchor] = checkManifest([completeForDevelopment(parsed, keys)]).anchors;
    expect(anchor!.spec.signingKey).toEqual({
      account: keys.signing,
      secretRef: { name: DEVELOPMENT_SECRET, key: 'signing' },
    });
    expect(anchor!.spec.assets[0]).toMatchObject({
      issuer: keys.issuers.get('SRT'),
      distribution: { account: keys.distributions.get('SRT'), secretRef: developmentSeedRef('SRT') },
    });
  });

  test.each(['public', 'custom'])('gets none on %s: the strict schema asks for them', (network) => {
    const anchor = bare(network);
    if (network === 'custom') {
      anchor.spec.network = { name: network, passphrase: 'Ours', horizon: ['https://h.example'] };
    }
    const text = yamlOf(anchor);
    expect(developmentNeeds(parseManifest(text, 'a.yaml'))).toEqual({
      signing: false,
      issuers: [],
      distributions: [],
    });
    expect([...problemPaths(text)].sort()).toEqual(['spec.assets[0].distribution', 'spec.signingKey']);
  });

  test('keeps the keys that are written, asks for no issuer of native, and changes nothing in place', () => {
    const anchor = testAnchor();
    anchor.spec.assets[1] = { code: 'native' };
    const parsed = parseManifest(yamlOf(anchor), 'a.yaml');
    const before = structuredClone(parsed.documents.map(({ value }) => value));
    expect(developmentNeeds(parsed)).toEqual({ signing: false, issuers: [], distributions: ['native'] });
    const account = testKeys().account;
    const completed = completeForDevelopment(parsed, {
      ...keys,
      distributions: new Map([['native', account]]),
    });
    const { spec } = checkManifest([completed]).anchors[0]!;
    expect(spec.assets[0]).toMatchObject(anchor.spec.assets[0] as object);
    expect(spec.signingKey).toEqual(anchor.spec.signingKey);
    expect(spec.assets[1]!.distribution.account).toBe(account);
    expect(parsed.documents.map(({ value }) => value)).toEqual(before);
  });

  test('is still told of its other errors, at their own lines', () => {
    const anchor = bare('local');
    anchor.spec.assets[0].decimals = 9;
    const text = yamlOf(anchor);
    expect(problemPaths(text)).toEqual(['spec.assets[0].decimals']);
    const line = text.split('\n').findIndex((content) => content.includes('decimals')) + 1;
    expect(() => checkManifest([completeForDevelopment(parseManifest(text, 'a.yaml'), keys)])).toThrow(
      `a.yaml:${line}: `,
    );
  });

  test.each([
    'spec: 1',
    'spec: { network: { name: local }, assets: 1 }',
    'spec: { network: { name: local }, assets: [1, { code: 2 }] }',
  ])('survives %j', (spec) => {
    const parsed = parseManifest(`apiVersion: capstan.dev/v1alpha1\nkind: Anchor\n${spec}\n`, 'a.yaml');
    expect(developmentNeeds(parsed).issuers).toEqual([]);
    expect(() => checkManifest([completeForDevelopment(parsed, keys)])).toThrow(ManifestErrors);
  });

  test('examples/anchors/demo.yaml is right once it has keys', () => {
    const text = readFileSync(new URL('../../examples/anchors/demo.yaml', import.meta.url), 'utf8');
    const manifest = checkManifest([completeForDevelopment(parseManifest(text, 'demo.yaml'), keys)]);
    expect(resolveAnchor(manifest.anchors[0]!)).toMatchObject({
      name: 'demo',
      network: { name: 'local' },
      workers: { pollIntervalMs: 1_000, trustlinesIntervalMs: 1_000 },
      assets: [{ code: 'SRT', issuer: keys.issuers.get('SRT') }],
    });
  });
});
