import { describe, expect, test } from '@jest/globals';
import type { Anchor } from './anchor.ts';
import { readManifest } from './manifest.ts';
import { resolveAnchor } from './resolve.ts';
import { testAnchor, yamlOf } from './test-manifest.ts';
import type { Loose } from './test-manifest.ts';

function resolved(bend: (spec: Loose) => void = () => {}): Anchor {
  const anchor = testAnchor();
  bend(anchor.spec);
  return resolveAnchor(readManifest(yamlOf(anchor), 'a.yaml').anchors[0]!);
}

describe('resolveAnchor', () => {
  test.each([
    ['testnet', 'Test SDF Network ; September 2015', 'https://horizon-testnet.stellar.org'],
    ['public', 'Public Global Stellar Network ; September 2015', 'https://horizon.stellar.org'],
    ['local', 'Capstan Local Network ; 2026', 'http://127.0.0.1:8000'],
  ])('knows passphrase and Horizon of %s', (name, passphrase, horizon) => {
    expect(resolved((spec) => (spec.network = { name })).network).toEqual({
      name,
      passphrase,
      horizon: [horizon],
    });
  });

  test('takes the passphrase and Horizon that are given, without trailing slashes', () => {
    const network = {
      name: 'custom',
      passphrase: 'Ours ; 2026',
      horizon: ['https://a.example/', 'https://b.example/h//'],
    };
    expect(resolved((spec) => (spec.network = network)).network).toEqual({
      ...network,
      horizon: ['https://a.example', 'https://b.example/h'],
    });
  });

  test('fills in what the smallest spec leaves out', () => {
    const anchor = resolved();
    expect(anchor).toMatchObject({
      homeDomains: ['anchor.harbor.example'],
      webAuthDomain: 'anchor.harbor.example',
      database: { form: 'secret' },
      integration: { port: 8080, timeoutMs: 10_000, concurrency: 8 },
      server: {
        pageSize: 10,
        trustedProxies: [],
        frameAncestors: [],
        rateLimits: { requests: 600, authentications: 15, interactive: 60 },
      },
      workers: { pollIntervalMs: 10_000, trustlinesIntervalMs: 60_000 },
      deadlines: {
        userActionRequiredMs: 259_200_000,
        abandonedAfterMs: 86_400_000,
        pendingTrustMs: 2_592_000_000,
        expiredGraceMs: 2_592_000_000,
      },
      payments: {
        suspended: false,
        channels: 4,
        maxFeeStroops: 100_000n,
        rounding: 'down',
        accountCreation: {
          enabled: true,
          startingBalance: 20_100_000n,
          perCustomer: 1,
          dailyXlm: 5_000_000_000n,
          minDeposit: 100_000_000n,
        },
        claimableBalances: { enabled: true, reclaimAfterMs: 2_592_000_000 },
      },
    });
    expect(anchor.integration).not.toHaveProperty('url');
    expect(anchor).not.toHaveProperty('toml');
  });

  test('turns an asset into stroops and an id', () => {
    const { assets } = resolved((spec) => {
      spec.assets[0].limits = { daily: '200.5' };
      spec.assets[0].dust = '0.0000001';
    });
    const [asset] = assets;
    expect(asset).toMatchObject({
      id: `SRT:${asset!.issuer}`,
      symbol: 'SRT',
      decimals: 2,
      suspended: false,
      deposit: {
        enabled: true,
        min: 10_000_000n,
        max: 100_000_000_000n,
        fee: { fixed: 10_000_000n, percent: '0.5' },
      },
      withdrawal: { enabled: true, fee: { fixed: 10_000_000n, percent: '0' } },
      limits: { daily: 2_005_000_000n },
      dust: 1n,
    });
    expect(asset!.limits).not.toHaveProperty('hourly');
  });

  test('native has no issuer, and a direction that is left out is disabled', () => {
    const { assets } = resolved((spec) => {
      spec.assets[0].code = 'native';
      delete spec.assets[0].issuer;
      delete spec.assets[0].withdrawal;
    });
    expect(assets[0]).toMatchObject({ id: 'native', withdrawal: { enabled: false, min: 0n } });
    expect(assets[0]).not.toHaveProperty('issuer');
    expect(assets[0]!.withdrawal).not.toHaveProperty('max');
  });

  test('carries what development and the processes need', () => {
    const anchor = resolved((spec) => {
      spec.integration = { url: 'https://bank.example/', command: ['node', 'bank.ts'], timeout: '3s' };
      spec.database = { embedded: {} };
      spec.server = { trustedProxies: ['10.0.0.0/8'], frameAncestors: ['https://*.wallet.example'] };
      spec.toml = 'VERSION = "2.7.0"';
    });
    expect(anchor.integration).toMatchObject({
      url: 'https://bank.example',
      command: ['node', 'bank.ts'],
      timeoutMs: 3_000,
    });
    expect(anchor.database).toEqual({ form: 'embedded' });
    expect(anchor.server).toMatchObject({
      trustedProxies: ['10.0.0.0/8'],
      frameAncestors: ['https://*.wallet.example'],
    });
    expect(anchor.toml).toBe('VERSION = "2.7.0"');
  });
});
