import { describe, expect, test } from '@jest/globals';
import { ImportErrors, importEnv } from './import-env.ts';
import { readManifest, soleAnchor } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { PUBLIC_PASSPHRASE } from './networks.ts';
import { ManifestErrors } from './problems.ts';
import { readSeed, secretRefs } from './secrets.ts';
import { testKeys } from './test-manifest.ts';

const [signing, issuer, distribution] = [testKeys(), testKeys(), testKeys()];
const JWT_KEY = 'k"\\: {}#'.repeat(5);

const variables: Readonly<Record<string, string>> = {
  ASSETS: 'SRT',
  SRT_ISSUER_ACCOUNT_ADDRESS: issuer.account,
  SRT_DISTRIBUTION_ACCOUNT_SEED: distribution.seed,
  SIGNING_SEED: signing.seed,
  SERVER_JWT_KEY: `'${JWT_KEY}'`,
  HOST_URL: 'https://anchor.harbor.example',
  HORIZON_URI: 'https://horizon-testnet.stellar.org/',
  STELLAR_NETWORK_PASSPHRASE: 'Test SDF Network ; September 2015',
  DEFAULT_PAGE_SIZE: '25',
};
const envOf = (changes: Readonly<Record<string, string | undefined>> = {}): string =>
  Object.entries({ ...variables, ...changes })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
    .join('\n');

/** What is read once the integration is filled in. */
function imported(env: string): Manifest {
  const yaml = importEnv(env).replace(/^( +)# (integration: \{ url: .*)$/m, '$1$2');
  return readManifest(yaml, 'imported.yaml');
}

function problemsOf(env: string): readonly string[] {
  try {
    importEnv(env);
    return [];
  } catch (error) {
    if (error instanceof ImportErrors) return error.problems;
    throw error;
  }
}

describe('import of a django-polaris .env', () => {
  test('every variable becomes a field, accounts come from the seeds, and seeds go to the Secret', () => {
    const manifest = imported(envOf());
    const anchor = soleAnchor(manifest, 'imported.yaml');
    expect(anchor.metadata.name).toBe('anchor-harbor-example');
    expect(anchor.spec).toMatchObject({
      host: 'anchor.harbor.example',
      network: { name: 'testnet' },
      signingKey: { account: signing.account },
      assets: [{ code: 'SRT', issuer: issuer.account, distribution: { account: distribution.account } }],
      server: { pageSize: 25 },
      database: { embedded: {} },
    });
    expect(anchor.spec.network).not.toHaveProperty('horizon');
    const [secret] = manifest.secrets;
    const refs = secretRefs(anchor);
    const seedRef = refs.distributionSeeds.get(distribution.account)!;
    expect(readSeed(secret!.text(seedRef.key)!, distribution.account, seedRef)).toBe(distribution.seed);
    expect(readSeed(secret!.text(refs.signingSeed.key)!, signing.account, refs.signingSeed)).toBe(
      signing.seed,
    );
    expect(secret!.text(refs.sessionKey!.key)).toBe(JWT_KEY);
  });

  test('the manifest lacks the integration alone, and says what to write', () => {
    const yaml = importEnv(envOf());
    expect(() => readManifest(yaml, 'imported.yaml')).toThrow(ManifestErrors);
    expect(() => readManifest(yaml, 'imported.yaml')).toThrow(
      /^imported\.yaml:\d+: spec\.integration: is missing: .*$/,
    );
    expect(yaml).toMatch(/# Fill in: the container that knows your bank/);
  });

  test('several assets, home domains and a Horizon of their own come along', () => {
    const [second, secondIssuer] = [testKeys(), testKeys()];
    const env = envOf({
      ASSETS: ' SRT, usdx ',
      USDX_ISSUER_ACCOUNT_ADDRESS: secondIssuer.account,
      USDX_DISTRIBUTION_ACCOUNT_SEED: second.seed,
      SEP10_HOME_DOMAINS: 'harbor.example,anchor.harbor.example',
      HORIZON_URI: 'https://horizon.harbor.example/',
    });
    const { spec } = soleAnchor(imported(env), 'imported.yaml');
    expect(spec.assets.map(({ code, distribution: { account } }) => [code, account])).toEqual([
      ['SRT', distribution.account],
      ['usdx', second.account],
    ]);
    expect(spec.homeDomains).toEqual(['harbor.example', 'anchor.harbor.example']);
    expect(spec.network.horizon).toEqual(['https://horizon.harbor.example']);
  });

  test('the public network gets a database of one’s own', () => {
    const env = envOf({ STELLAR_NETWORK_PASSPHRASE: PUBLIC_PASSPHRASE, HORIZON_URI: undefined });
    const { spec } = soleAnchor(imported(env), 'imported.yaml');
    expect(spec.network).toEqual({ name: 'public' });
    expect(spec.database.secretRef).toEqual({ name: 'anchor-harbor-example-database', key: 'url' });
    expect(spec.database.embedded).toBeUndefined();
  });

  test('another passphrase is a custom network and needs its Horizon', () => {
    const passphrase = '"Ours # 2026"';
    const env = envOf({ STELLAR_NETWORK_PASSPHRASE: passphrase, HORIZON_URI: 'https://h.example' });
    expect(soleAnchor(imported(env), 'i').spec.network).toEqual({
      name: 'custom',
      passphrase: 'Ours # 2026',
      horizon: ['https://h.example'],
    });
    expect(problemsOf(envOf({ STELLAR_NETWORK_PASSPHRASE: passphrase, HORIZON_URI: undefined }))).toEqual([
      expect.stringMatching(/^HORIZON_URI is missing/),
    ]);
  });

  test('a session key too short to be safe is not carried over; one is generated', () => {
    const yaml = importEnv(envOf({ SERVER_JWT_KEY: 'secret' }));
    expect(yaml).toContain('# No sessionKey: Capstan generates one.');
    expect(yaml).not.toContain('session:');
  });

  test('variables without a counterpart are named and their values are not', () => {
    const yaml = importEnv(envOf({ LOCAL_MODE: '1', DJANGO_SECRET_KEY: 'hush-hush' }));
    expect(yaml).toContain('# Without a counterpart here: DJANGO_SECRET_KEY, LOCAL_MODE.');
    expect(yaml).not.toContain('hush-hush');
  });

  test('an empty file is told everything that it lacks', () => {
    expect(problemsOf('').map((problem) => problem.split(' ')[0])).toEqual([
      'ASSETS',
      'SIGNING_SEED',
      'HOST_URL',
    ]);
  });

  test.each<[string, Readonly<Record<string, string | undefined>>, RegExp]>([
    ['no issuer', { SRT_ISSUER_ACCOUNT_ADDRESS: undefined }, /^SRT_ISSUER_ACCOUNT_ADDRESS is missing/],
    [
      'an issuer that is none',
      { SRT_ISSUER_ACCOUNT_ADDRESS: 'GABC' },
      /^SRT_ISSUER_ACCOUNT_ADDRESS is no account/,
    ],
    [
      'no distribution seed',
      { SRT_DISTRIBUTION_ACCOUNT_SEED: '' },
      /^SRT_DISTRIBUTION_ACCOUNT_SEED is missing/,
    ],
    ['a seed that is none', { SIGNING_SEED: 'SABC' }, /^SIGNING_SEED is no secret seed/],
    ['an asset code that is none', { ASSETS: 'SRT,a-b' }, /^ASSETS names something that is no asset code/],
    ['a host that is none', { HOST_URL: 'anchor' }, /^HOST_URL is no URL/],
    ['a host with a path', { HOST_URL: 'https://harbor.example/anchor' }, /^HOST_URL has a path/],
    ['a page size that is none', { DEFAULT_PAGE_SIZE: 'ten' }, /^DEFAULT_PAGE_SIZE must be/],
    [
      'one seed for signing and paying',
      { SIGNING_SEED: distribution.seed },
      /^spec\.signingKey\.account is also a distribution account/,
    ],
    [
      'http to a Horizon on the internet',
      { HORIZON_URI: 'http://h.example' },
      /^spec\.network\.horizon\[0\] must start with https/,
    ],
  ])('%s is told by the variable or field', (_, changes, expected) => {
    expect(problemsOf(envOf(changes))).toEqual([expect.stringMatching(expected)]);
  });

  test('no message repeats a seed', () => {
    const broken = envOf({ SIGNING_SEED: `${signing.seed}X`, SRT_ISSUER_ACCOUNT_ADDRESS: issuer.seed });
    const text = problemsOf(broken).join('\n');
    expect(text.split('\n')).toHaveLength(2);
    for (const { seed } of [signing, issuer, distribution]) expect(text).not.toContain(seed);
  });
});
