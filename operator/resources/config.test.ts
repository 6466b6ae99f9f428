/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { describe, expect, test } from '@jest/globals';
import { readManifest, soleAnchor } from '../../core/spec/manifest.ts';
import { resolveAnchor } from '../../core/spec/resolve.ts';
import { secretRefs } from '../../core/spec/secrets.ts';
import { testAnchor, type Loose } from '../../core/spec/test-manifest.ts';
import { CONFIG_KEY, configHash, configMap, type Role } from './config.ts';
import { ANNOTATION } from './pod.ts';
import { bent, contextOf, podsOf } from './testing/context.ts';
import { forManyAnchors } from './testing/arbitrary.ts';

const fileOf = (manifest: Loose): string => configMap(contextOf(manifest)).data![CONFIG_KEY]!;
const read = (text: string) => soleAnchor(readManifest(text, 'anchor.yaml'), 'anchor.yaml');

describe('the config file', () => {
  test('of any Anchor is read by the processes as the same anchor', () => {
    forManyAnchors((context) => {
      const { integration, database, ...anchor } = resolveAnchor(read(configMap(context).data![CONFIG_KEY]!));
      const { integration: _, database: __, ...wanted } = context.anchor;
      expect(anchor).toEqual(wanted);
      expect(database).toEqual({ form: 'secret' });
      expect(integration.url).toMatch(/^https?:/);
    });
  });

  test('names the Secrets that were generated', () => {
    const refs = secretRefs(read(fileOf(bent({ database: { embedded: {} } }))));
    expect(refs).toMatchObject({
      sessionKey: { name: 'harbor-session', key: 'session' },
      integrationKey: { name: 'harbor-hmac', key: 'key' },
      databaseUrl: { name: 'harbor-database', key: 'url' },
    });
  });

  test('holds no default, so that the release before can read it, and nothing of Kubernetes', () => {
    const manifest = bent({
      server: { replicas: 5, pageSize: 10 },
      payments: { maxFee: '0.01', channels: 4 },
      expose: { ingress: {} },
    });
    const text = fileOf(manifest);
    expect(text).not.toMatch(/pageSize|maxFee|channels|replicas|expose|image|deadlines/);
    expect(fileOf(bent({ server: { pageSize: 11 } }))).toContain('pageSize: 11');
  });
});

describe('a change of the spec starts anew what uses it, and nothing else', () => {
  const base = testAnchor();
  const asset = (changes: Loose): Loose => ({ assets: [{ ...base.spec.assets[0], ...changes }] });
  const rolled = (spec: Loose): readonly string[] => {
    const before = podsOf(contextOf(base));
    const after = podsOf(contextOf({ ...base, spec: { ...base.spec, ...spec } }));
    return after
      .filter(({ owner, template }) => {
        const old = before.find((one) => one.owner.metadata.name === owner.metadata.name);
        return JSON.stringify(old?.template) !== JSON.stringify(template);
      })
      .map(({ template }) => template.metadata!.labels!['app.kubernetes.io/component']!)
      .filter((name) => name !== 'poll' && name !== 'trustlines');
  };

  test.each<[string, Loose, readonly string[]]>([
    ['stopping all payments', { payments: { suspended: true } }, []],
    ['stopping an asset', asset({ suspended: true }), []],
    ["the organization's words", { organization: { name: 'Haven' } }, ['server']],
    ['stellar.toml', { toml: 'A = 1' }, ['server']],
    ["an asset's name", asset({ name: 'Dollar' }), ['server']],
    ['the size of pages', { server: { pageSize: 20 } }, ['server']],
    ['the number of replicas', { server: { replicas: 9 } }, []],
    ['the channels', { payments: { channels: 9 } }, ['server', 'watcher']],
    ['the fee', asset({ deposit: { fee: { fixed: '2' } } }), ['server', 'watcher']],
    ['the interval of polls', { workers: { poll: { interval: '30s' } } }, []],
    ['how the anchor is exposed', { expose: { ingress: {} } }, []],
    ['the image of the business', { integration: { image: 'bank:2' } }, ['integration']],
    [
      'the resources of the workers',
      { workers: { resources: { limits: { memory: '1Gi' } } } },
      ['watcher', 'migrate'],
    ],
    [
      'another database',
      { database: { secretRef: { name: 'new', key: 'url' } } },
      ['server', 'watcher', 'migrate'],
    ],
  ])('%s', (_, change, expected) => {
    expect(rolled(change)).toEqual(expected);
  });

  test('what an operator of a later release fills in as a default rolls nothing', () => {
    const explicit = { payments: { suspended: false, channels: 4, rounding: 'down' } };
    expect(rolled(explicit)).toEqual([]);
  });
});

describe('a change of a Secret', () => {
  const rolledBy = (name: string): readonly string[] => {
    const manifest = bent({
      tls: { secretName: 'cert' },
      integration: { image: 'bank:1', envFrom: [{ configMapRef: { name: 'bank-env' } }] },
    });
    const annotation = (versions: Record<string, string>): Record<string, string | undefined> =>
      Object.fromEntries(
        podsOf(contextOf(manifest, { versions })).map(({ template }) => [
          template.metadata!.labels!['app.kubernetes.io/component'],
          JSON.stringify(template),
        ]),
      );
    const [before, after] = [annotation({}), annotation({ [name]: '2' })];
    return Object.keys(after).filter((role) => after[role] !== before[role]);
  };

  test.each([
    ['Secret/harbor-keys', ['server', 'watcher']],
    ['Secret/harbor-session', ['server', 'watcher']],
    ['Secret/harbor-hmac', ['integration', 'server', 'watcher', 'poll']],
    ['Secret/harbor-db', ['server', 'watcher', 'poll', 'trustlines', 'migrate']],
    ['ConfigMap/bank-env', ['integration']],
    ['Secret/cert', []],
    ['Secret/unrelated', []],
  ])('%s starts anew %j', (name, expected) => {
    expect(rolledBy(name)).toEqual(expected);
  });

  test('the pods say by two annotations why they were started anew', () => {
    const pod = podsOf(contextOf()).find(({ owner }) => owner.metadata.name === 'harbor-server');
    expect(Object.keys(pod!.template.metadata!.annotations!)).toEqual([
      ANNOTATION.config,
      ANNOTATION.secrets,
    ]);
    const hash = (role: Role): string => configHash(contextOf(), role);
    expect(hash('server')).not.toBe(hash('watcher'));
  });
});
