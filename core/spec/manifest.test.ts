import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkManifest, parseManifest, readManifest, soleAnchor } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { ManifestErrors } from './problems.ts';
import type { Problem } from './problems.ts';
import { anchorSpec } from './schema/anchor.ts';
import { testAnchor, testKeys, yamlOf } from './test-manifest.ts';
import type { Loose } from './test-manifest.ts';

/** What is thrown, or nothing; anything but ManifestErrors goes on up and fails the test. */
function refusal(read: () => unknown): ManifestErrors | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof ManifestErrors) return error;
    throw error;
  }
}
const complaints = (read: () => unknown): readonly string[] => refusal(read)?.message.split('\n') ?? [];
const problemsOf = (text: string): readonly Problem[] =>
  refusal(() => readManifest(text, 'a.yaml'))?.problems ?? [];
const complaintsOf = (text: string): readonly string[] => complaints(() => readManifest(text, 'a.yaml'));

function bent(bend: (anchor: Loose) => void): string {
  const anchor = testAnchor();
  bend(anchor);
  return yamlOf(anchor);
}
const bentSpec = (bend: (spec: Loose) => void): string => bent(({ spec }) => bend(spec));

const secret = (changes: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'harbor-keys', namespace: 'harbor' },
  stringData: { signing: 'one', srt: 'two' },
  ...changes,
});

describe('documents of a manifest', () => {
  test('Anchor, Secret and ConfigMap are read out of one file, other kinds are noted and empty ones skipped', () => {
    const brand = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'brand', namespace: 'harbor' },
      data: { 'theme.css': ':root {}' },
      binaryData: { logo: '/w==' },
    };
    const text = `---\n${yamlOf(testAnchor(), secret(), brand, { apiVersion: 'apps/v1', kind: 'Deployment' })}---\n# end\n`;
    const manifest = readManifest(text, 'a.yaml');
    expect(manifest.anchors.map(({ metadata }) => metadata.name)).toEqual(['harbor']);
    expect(manifest.secrets.map(({ name, keys }) => [name, keys])).toEqual([
      ['harbor-keys', ['signing', 'srt']],
    ]);
    expect(manifest.configMaps[0]!.text('theme.css')).toBe(':root {}');
    expect(manifest.configMaps[0]!.bytes('logo')).toEqual(Buffer.of(0xff));
    expect(manifest.notes).toEqual([expect.stringMatching(/^a\.yaml:\d+: a Deployment .* passed over\.$/)]);
  });

  test('data is decoded from base64 and stringData wins over it, as in Kubernetes', () => {
    const data = { signing: Buffer.from('old').toString('base64'), srt: 'dHdv\n' };
    const [read] = readManifest(yamlOf(secret({ data, stringData: { signing: 'new' } })), 'a.yaml').secrets;
    expect([read!.text('signing'), read!.text('srt')]).toEqual(['new', 'two']);
  });

  test.each(['***', 'abc', 'YQ=', 'YQ===', 'Y Q==', 'YQ-_'])(
    'base64 %j is refused and not shown',
    (value) => {
      const [line, ...others] = complaintsOf(yamlOf(secret({ data: { password: value } })));
      expect(others).toEqual([]);
      expect(line).toMatch(/^a\.yaml:\d+: data\.password: is not base64: .*stringData/);
      expect(line).not.toContain(value);
    },
  );

  test('a Secret whose value is no text is told without its value', () => {
    const [line] = complaintsOf(yamlOf(secret({ stringData: { pin: 424242 } })));
    expect(line).toMatch(/stringData\.pin: must be text: put it in quotes\.$/);
    expect(line).not.toContain('424242');
  });

  test('a reference to a key that a Secret of the file lacks is an error at the reference', () => {
    const text = yamlOf(testAnchor(), secret({ stringData: { signing: 'one' } }));
    const lines = complaintsOf(text);
    expect(lines).toEqual([
      expect.stringMatching(
        /spec\.assets\[0\]\.distribution\.secretRef\.key: names key srt, which Secret harbor-keys does not have \(it has signing\)/,
      ),
    ]);
    expect(text.split('\n')[Number(lines[0]!.split(':')[1]) - 1]).toContain('key: srt');
  });

  test('a Secret of another namespace, or of another file, is not asked for its keys', () => {
    const other = secret({ metadata: { name: 'harbor-keys', namespace: 'other' }, stringData: {} });
    expect(complaintsOf(yamlOf(testAnchor(), other))).toEqual([]);
    expect(complaintsOf(yamlOf(testAnchor()))).toEqual([]);
  });

  test('Secrets of a second file are known to the first', () => {
    const files = [
      parseManifest(yamlOf(testAnchor()), 'anchor.yaml'),
      parseManifest(yamlOf(secret({ stringData: {} })), 'keys.yaml'),
    ];
    expect(complaints(() => checkManifest(files))).toEqual([
      expect.stringMatching(/^anchor\.yaml:\d+: spec\.signingKey.*\(it is empty\)/),
      expect.stringMatching(/^anchor\.yaml:\d+: spec\.assets\[0\]/),
    ]);
  });

  test('the same resource twice is an error', () => {
    const lines = complaintsOf(yamlOf(testAnchor(), secret(), testAnchor(), secret()));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('metadata.name: Anchor harbor/harbor stands twice');
    expect(lines[1]).toContain('metadata.name: Secret harbor/harbor-keys stands twice');
  });

  test.each([
    ['a list', '- a\n'],
    ['a text', 'hello\n'],
    ['a map without a kind', 'apiVersion: v1\n'],
    ['a kind that is no text', 'apiVersion: v1\nkind: [Anchor]\n'],
  ])('%s is no resource', (_, text) => {
    expect(complaintsOf(text)).toEqual([
      'a.yaml:1: is no Kubernetes resource: each document needs apiVersion and kind as text.',
    ]);
  });

  test('another version and a mistyped kind of ours are errors, not other kinds', () => {
    expect(complaintsOf(bent((anchor) => (anchor.apiVersion = 'capstan.dev/v1')))).toEqual([
      'a.yaml:1: apiVersion: must be capstan.dev/v1alpha1.',
    ]);
    expect(complaintsOf(bent((anchor) => (anchor.kind = 'Ancor')))).toEqual([
      'a.yaml:2: kind: must be Anchor.',
    ]);
  });

  test("what kubectl prints of an Anchor can be read: Kubernetes' metadata and the status", () => {
    const text = bent((anchor) => {
      Object.assign(anchor.metadata, { uid: 'u', generation: 3, labels: { a: 'b' }, managedFields: [{}] });
      anchor.status = { conditions: [] };
    });
    expect(complaintsOf(text)).toEqual([]);
  });

  test('a command that takes one Anchor says so when there is none, or two', () => {
    const read = (...documents: readonly unknown[]): Manifest => readManifest(yamlOf(...documents), 'a.yaml');
    const second = testAnchor();
    second.metadata.name = 'second';
    expect(soleAnchor(read(testAnchor(), secret()), 'a.yaml').metadata.name).toBe('harbor');
    expect(complaints(() => soleAnchor(read(secret()), 'a.yaml'))[0]).toContain('holds no Anchor');
    expect(complaints(() => soleAnchor(read(testAnchor(), second), 'a.yaml'))[0]).toContain(
      'holds 2 Anchors',
    );
  });
});

describe('fields of an Anchor', () => {
  test('everything that is wrong is told at once, by line, schema and rules together', () => {
    const text = bent(({ metadata, spec }) => {
      metadata.name = '1harbor';
      spec.host = 'https://anchor.harbor.example';
      spec.assets[0].deposit.min = 1;
      spec.assets[0].withdrawal = { min: '2', max: '1' };
      spec.database.embedded = {};
      delete spec.organization.name;
    });
    const lines = complaintsOf(text);
    const numbers = lines.map((line) => Number(line.split(':')[1]));
    expect(lines.map((line) => line.split(' ')[1])).toEqual([
      'metadata.name:',
      'spec.host:',
      'spec.organization.name:',
      'spec.assets[0].deposit.min:',
      'spec.database:',
    ]);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  test.each<[string, (spec: Loose) => void, string]>([
    [
      'an unknown key',
      (spec) => (spec.assets[0].withdrawl = {}),
      'spec.assets[0].withdrawl: is not a field: did you mean withdrawal?',
    ],
    [
      'two letters swapped',
      (spec) => (spec.server = { repilcas: 2 }),
      'spec.server.repilcas: is not a field: did you mean replicas?',
    ],
    [
      'a key that resembles none',
      (spec) => (spec.tls = { zzz: 1, secretName: 'c' }),
      'spec.tls.zzz: is not a field: take it out, or use one of issuerRef, secretName.',
    ],
    [
      'a missing field',
      (spec) => delete spec.signingKey,
      'spec.signingKey: is missing: add it. Key that signs SEP-10 challenges',
    ],
    [
      'an empty field',
      (spec) => (spec.organization = null),
      'spec.organization: is empty: write a map of fields',
    ],
    [
      'a number for an amount',
      (spec) => (spec.assets[0].dust = 0.01),
      'spec.assets[0].dust: must be text: put it in quotes.',
    ],
    [
      'text for a flag',
      (spec) => (spec.payments = { suspended: 'yes' }),
      'spec.payments.suspended: must be true or false, without quotes.',
    ],
    [
      'text for a number',
      (spec) => (spec.server = { pageSize: '10' }),
      'spec.server.pageSize: must be a whole number, without quotes.',
    ],
    [
      'a fraction',
      (spec) => (spec.server = { pageSize: 1.5 }),
      'spec.server.pageSize: must be a whole number, without quotes.',
    ],
    [
      'too large a number',
      (spec) => (spec.server = { pageSize: 201 }),
      'spec.server.pageSize: must be at most 200.',
    ],
    [
      'too small a number',
      (spec) => (spec.server = { replicas: 0 }),
      'spec.server.replicas: must be at least 1.',
    ],
    ['a map for a list', (spec) => (spec.assets = {}), 'spec.assets: must be a list'],
    ['no asset', (spec) => (spec.assets = []), 'spec.assets: must list at least one asset.'],
    [
      '33 assets',
      (spec) => {
        const [asset] = spec.assets as readonly [object];
        spec.assets = Array.from({ length: 33 }, (_, index) => ({ ...asset, code: `A${index}` }));
      },
      'spec.assets: lists more than 32 assets',
    ],
    [
      'a near miss of a network',
      (spec) => (spec.network.name = 'tesnet'),
      'spec.network.name: must be one of public, testnet, local, custom; did you mean testnet?',
    ],
    [
      'a host with a path',
      (spec) => (spec.host = 'a.example/x'),
      'spec.host: must be a host name in lower case',
    ],
    [
      'a host in capitals',
      (spec) => (spec.host = 'A.example'),
      'spec.host: must be a host name in lower case',
    ],
    ['a port that is none', (spec) => (spec.host = 'a.example:70000'), 'spec.host: names a port above 65535'],
    [
      'a negative amount',
      (spec) => (spec.assets[0].dust = '-1'),
      'spec.assets[0].dust: must be an amount in quotes',
    ],
    [
      'an amount in exponents',
      (spec) => (spec.assets[0].dust = '1e3'),
      'spec.assets[0].dust: must be an amount in quotes',
    ],
    [
      'more than the ledger carries',
      (spec) => (spec.assets[0].dust = '922337203685.4775808'),
      'spec.assets[0].dust: is more than the ledger can carry',
    ],
    [
      'a fee beneath the base fee',
      (spec) => (spec.payments = { maxFee: '0.0000099' }),
      'spec.payments.maxFee: must be at least 0.00001.',
    ],
    [
      'a fee above ten XLM',
      (spec) => (spec.payments = { maxFee: '10.0000001' }),
      'spec.payments.maxFee: must be at most 10.',
    ],
    [
      '101 per cent',
      (spec) => (spec.assets[0].deposit.fee.percent = '100.1'),
      'spec.assets[0].deposit.fee.percent: must be at most 100',
    ],
    [
      'a duration without a unit',
      (spec) => (spec.workers = { poll: { interval: '10' } }),
      'spec.workers.poll.interval: must be a whole number and one of s, m, h, d',
    ],
    [
      'too long a duration',
      (spec) => (spec.workers = { poll: { interval: '2h' } }),
      'spec.workers.poll.interval: must be between 1s and 1h.',
    ],
    [
      'a key with a wrong checksum',
      (spec) => (spec.signingKey.account = `G${'A'.repeat(55)}`),
      'spec.signingKey.account: has a wrong checksum',
    ],
    [
      'a key that is too short',
      (spec) => (spec.signingKey.account = 'GABC'),
      'spec.signingKey.account: must be the public key of a Stellar account',
    ],
    [
      'user and password in a URL',
      (spec) => (spec.network.horizon = ['https://me:pw@h.example']),
      'spec.network.horizon[0]: must be a URL that starts with https:// or http:// and holds no user name',
    ],
    [
      'an e-mail address that is none',
      (spec) => (spec.organization.supportEmail = 'help'),
      'spec.organization.supportEmail: must be an e-mail address.',
    ],
    [
      'a range of addresses that is none',
      (spec) => (spec.server = { trustedProxies: ['all'] }),
      'spec.server.trustedProxies[0]: must be a range of addresses',
    ],
    [
      'an origin with a path',
      (spec) => (spec.server = { frameAncestors: ['https://w.example/x'] }),
      'spec.server.frameAncestors[0]: must be an origin without a path',
    ],
    [
      'a quantity that is none',
      (spec) => (spec.server = { resources: { limits: { memory: 'much' } } }),
      'spec.server.resources.limits.memory: must be a Kubernetes quantity',
    ],
  ])('%s is told with file, line, field and what to do', (_, bend, expected) => {
    const lines = complaintsOf(bentSpec(bend));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^a\.yaml:\d+: /);
    expect(lines[0]!.replace(/^a\.yaml:\d+: /, '').slice(0, expected.length)).toBe(expected);
  });

  test.each(['harbor-', '9harbor', 'Harbor', 'a'.repeat(31), 'har.bor', ''])(
    'the name %j is refused',
    (name) => {
      const lines = complaintsOf(bent(({ metadata }) => (metadata.name = name)));
      expect(lines).toEqual([expect.stringMatching(/^a\.yaml:4: metadata\.name: /)]);
    },
  );

  test.each(['a', 'h9', 'a'.repeat(30), 'harbor-2'])('the name %j is taken', (name) => {
    expect(complaintsOf(bent(({ metadata }) => (metadata.name = name)))).toEqual([]);
  });

  test('a seed in the place of a public key is recognised and never repeated', () => {
    const { seed } = testKeys();
    const lines = complaintsOf(bentSpec((spec) => (spec.signingKey.account = seed)));
    expect(lines).toEqual([expect.stringContaining('spec.signingKey.account: looks like a secret seed')]);
    expect(lines.join('')).not.toContain(seed);
  });

  test('characters are counted as Kubernetes does: one beyond the first plane is one', () => {
    const named = (name: string): string => bentSpec((spec) => (spec.organization.name = name));
    expect(complaintsOf(named('𝄞'.repeat(128)))).toEqual([]);
    expect(complaintsOf(named('𝄞'.repeat(129)))).toEqual([
      expect.stringMatching(/spec\.organization\.name: must have at most 128 characters\.$/),
    ]);
    expect(complaintsOf(named('')).join()).toContain('is empty');
  });

  test('quantities may be numbers, as Kubernetes has them', () => {
    const resources = { requests: { cpu: 1, memory: '256Mi' }, limits: { cpu: '1500m' } };
    expect(complaintsOf(bentSpec((spec) => (spec.server = { resources })))).toEqual([]);
  });

  test('the line is that of the key for an unknown key and of the value for a wrong one', () => {
    const anchor = testAnchor();
    const text = yamlOf(anchor).replace('organization:\n', 'organization:\n    # ours\n    nmae: x\n');
    const line = text.split('\n').findIndex((content) => content.includes('nmae')) + 1;
    expect(complaintsOf(text)).toEqual([
      `a.yaml:${line}: spec.organization.nmae: is not a field: did you mean name?`,
    ]);
  });
});

const keys = (count: number, indent = ''): string =>
  Array.from({ length: count }, (_, index) => `${indent}k${index}: 1\n`).join('');
const head = (kind: string, apiVersion: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a, namespace: b}\n`;
const unknownFields = (count: number): string =>
  `${head('Anchor', 'capstan.dev/v1alpha1')}spec:\n${keys(count, '  ')}`;
const numbers = (count: number): string => `${head('Secret', 'v1')}stringData:\n${keys(count, '  ')}`;
const assets = (count: number): string =>
  `${head('Anchor', 'capstan.dev/v1alpha1')}spec:\n  assets:\n${'  - {code: 1}\n'.repeat(count)}`;

describe('text that is no manifest', () => {
  test('a tab as indentation, a duplicate key and an unknown tag are named with their line', () => {
    expect(complaintsOf('kind: Anchor\nspec:\n\thost: a\n')[0]).toMatch(
      /^a\.yaml:3: a tab indents this line/,
    );
    expect(complaintsOf('kind: Anchor\nkind: Anchor\n')).toEqual([
      'a.yaml:2: the same key stands twice in one map: keep one of them.',
    ]);
    expect(complaintsOf('a: 1\nb: !secret x\n')[0]).toMatch(/^a\.yaml:2: has a tag/);
  });

  test('an alias bomb is refused before it expands', () => {
    const levels = Array.from({ length: 9 }, (_, index) => {
      const many = Array.from({ length: 9 }, () => `*a${index}`).join(', ');
      return `a${index + 1}: &a${index + 1} [${many}]`;
    });
    const started = performance.now();
    expect(complaintsOf(`a0: &a0 [x]\n${levels.join('\n')}\n`)).toEqual([
      expect.stringMatching(/^a\.yaml:1: .*aliases .* expand/),
    ]);
    // Expanded it would be 387 million values: minutes, if there were the memory.
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test('an alias of itself, and one of nothing, are refused', () => {
    expect(complaintsOf('a: &x [*x]\n')[0]).toMatch(/into themselves/);
    expect(complaintsOf('a: *x\n')[0]).toMatch(/refers \(\*name\) to an anchor/);
  });

  test('a moderate alias is what it stands for', () => {
    const text = bentSpec((spec) => delete spec.assets[0].withdrawal)
      .replace('      deposit:\n', '      deposit: &both\n')
      .replace('  integration:', '      withdrawal: *both\n  integration:');
    expect(readManifest(text, 'a.yaml').anchors[0]!.spec.assets[0]!.withdrawal.max).toBe('10000');
  });

  test('more than 1 MiB, too many documents and bottomless nesting are refused', () => {
    expect(complaintsOf(`# ${'x'.repeat(1_048_576)}`)).toEqual([
      'a.yaml:1: the file is larger than 1 MiB: split it.',
    ]);
    expect(complaintsOf('--- 1\n'.repeat(300))[0]).toContain('more than 256 documents');
    expect(complaintsOf(`a: ${'['.repeat(70)}${']'.repeat(70)}`)[0]).toContain(
      'nested deeper than 64 levels',
    );
    for (const bottomless of ['['.repeat(20_000), '{a: '.repeat(20_000), '- '.repeat(20_000)])
      expect(complaintsOf(bottomless)).toEqual([expect.stringContaining('nested deeper than 64 levels')]);
  });

  test('a merge bomb is refused before it expands', () => {
    const levels = Array.from({ length: 60 }, (_, index) => {
      return `a${index + 1}: &a${index + 1} {<<: [*a${index}, *a${index}, *a${index}], y${index}: 1}`;
    });
    expect(complaintsOf(`a0: &a0 {x: 1}\n${levels.join('\n')}\n`)).toEqual([
      expect.stringMatching(/^a\.yaml:1: .*aliases .* expand/),
    ]);
  });

  test.each([
    ['keys of one map', (count: number) => keys(count), 'holds more than 20000 values'],
    ['unknown fields', (count: number) => unknownFields(count / 4), 'is not a field'],
    ['the same key again', (count: number) => 'a: 1\n'.repeat(count), 'the same key stands twice'],
    ['values of a Secret that are no text', (count: number) => numbers(count / 4), 'put it in quotes'],
    ['entries of a list', (count: number) => assets(count / 10), 'lists more than 32 assets'],
  ])('%s in their ten thousands are told in seconds', (_, write, told) => {
    const started = performance.now();
    expect(complaintsOf(write(48_000)).join('\n')).toContain(told);
    // Each compared with all the others it is minutes.
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test('many problems are cut short with their number', () => {
    const text = bentSpec((spec) => {
      for (let index = 0; index < 70; index++) spec[`zz${index}`] = index;
    });
    const lines = complaintsOf(text);
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe('… and 20 more.');
  });

  test('whatever the text, nothing but ManifestErrors is thrown', () => {
    const good = yamlOf(testAnchor(), secret());
    const mutilated = fc
      .tuple(fc.nat(good.length), fc.nat(40), fc.string({ maxLength: 12, unit: 'binary' }))
      .map(([at, cut, put]) => good.slice(0, at) + put + good.slice(at + cut));
    const yamlish = fc
      .array(
        fc.constantFrom(
          'a',
          ': ',
          '- ',
          '\n',
          ' ',
          '{',
          '}',
          '[',
          ']',
          '&x ',
          '*x',
          '"',
          "'",
          '|',
          '>',
          '? ',
          '<<: ',
          '!t ',
          '---\n',
          '#',
          '\t',
          '__proto__',
          '%',
        ),
      )
      .map((parts) => parts.join(''));
    const texts = fc.oneof(fc.string({ maxLength: 300, unit: 'binary' }), mutilated, yamlish);
    fc.assert(
      fc.property(texts, (text) => {
        const bounds = text.split('\n').length;
        for (const { line, message } of problemsOf(text)) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(bounds);
          expect(message).toMatch(/\S/);
        }
      }),
      { numRuns: 600 },
    );
  });

  test('whatever stands in a spec, nothing but ManifestErrors is thrown', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(anchorSpec.shape)), fc.jsonValue(), (key, value) => {
        const anchor = testAnchor();
        anchor.spec[key] = value;
        for (const { path } of problemsOf(yamlOf(anchor))) expect(path).toMatch(/^spec/);
      }),
      { numRuns: 150 },
    );
  });
});
