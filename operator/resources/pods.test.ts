/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { describe, expect, test } from '@jest/globals';
import { testAnchor, type Loose } from '../../core/spec/test-manifest.ts';
import { bent, contextOf, find, podsOf, templateOf } from './testing/context.ts';
import { forManyAnchors } from './testing/arbitrary.ts';
import { restrictedViolations } from './testing/restricted.ts';

const everyPod = (check: (pod: ReturnType<typeof podsOf>[number], manifest: Loose) => void): void =>
  forManyAnchors((context, manifest) => {
    for (const pod of podsOf(context)) check(pod, manifest);
  });
const embedded = bent({ database: { embedded: {} } });

describe('every pod of any Anchor', () => {
  test('satisfies the restricted Pod Security Standard', () => {
    everyPod(({ template }) => expect(restrictedViolations(template)).toEqual([]));
  });

  test('has no token, a read-only root, a /tmp, requests, a limit of memory and time to end', () => {
    everyPod(({ template: { spec } }) => {
      expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(spec!.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(40);
      for (const container of spec!.containers) {
        expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true });
        expect(container.volumeMounts).toContainEqual({ name: 'tmp', mountPath: '/tmp' });
        const { requests, limits } = container.resources!;
        expect(Object.keys(requests!).sort()).toEqual(['cpu', 'memory']);
        expect(limits).toHaveProperty('memory');
      }
    });
  });

  test('never asks for more than its limit', () => {
    const units: Readonly<Record<string, number>> = { '64Mi': 64, '128Mi': 128, '160Mi': 160, '192Mi': 192 };
    const mebibytes = (text: string): number =>
      units[text] ?? (text.endsWith('Gi') ? Number.parseInt(text, 10) * 1024 : Number.parseInt(text, 10));
    everyPod(({ template: { spec } }) => {
      for (const { resources } of spec!.containers) {
        expect(mebibytes(resources!.requests!['memory']!)).toBeLessThanOrEqual(
          mebibytes(resources!.limits!['memory']!),
        );
        const cpu = resources!.limits!['cpu'];
        const cores = (text: string): number =>
          text.endsWith('m') ? Number.parseInt(text, 10) / 1000 : Number(text);
        expect(cores(resources!.requests!['cpu']!)).toBeLessThanOrEqual(
          cpu === undefined ? Infinity : cores(cpu),
        );
      }
    });
  });

  test('mounts only volumes that it has, each path once', () => {
    everyPod(({ template: { spec } }) => {
      const volumes = spec!.volumes!.map(({ name }) => name);
      const claims = spec!.containers[0]!.volumeMounts!.filter(({ name }) => name === 'data');
      expect(new Set(volumes).size).toBe(volumes.length);
      for (const { volumeMounts } of spec!.containers) {
        const paths = volumeMounts!.map(({ mountPath }) => mountPath);
        expect(new Set(paths).size).toBe(paths.length);
        for (const { name } of volumeMounts!)
          expect([...volumes, ...claims.map((one) => one.name)]).toContain(name);
      }
    });
  });

  test('is probed if it runs on, and has a deadline if it ends', () => {
    everyPod(({ owner, template: { spec } }) => {
      const ends = owner.kind === 'Job' || owner.kind === 'CronJob';
      const { activeDeadlineSeconds = 0 } = (owner as Loose).spec.jobTemplate?.spec ?? (owner as Loose).spec;
      expect([activeDeadlineSeconds > 0, spec!.restartPolicy !== 'Always']).toEqual([ends, ends]);
      const [container] = spec!.containers;
      const ports = (container!.ports ?? []).map(({ containerPort }) => containerPort);
      const probed = (['startupProbe', 'livenessProbe', 'readinessProbe'] as const).map((kind) => {
        const port = container![kind]?.httpGet?.port ?? container![kind]?.tcpSocket?.port;
        return ports.some((one) => one === port);
      });
      expect(probed).toEqual([!ends, !ends, !ends]);
    });
  });

  test('is selected by its own controller and by no other', () => {
    forManyAnchors((context) => {
      const pods = podsOf(context);
      const selectors = pods.flatMap(({ owner }) => {
        const selector = (owner as Loose).spec.selector?.matchLabels;
        return selector ? [{ owner, selector }] : [];
      });
      for (const { owner, selector } of selectors) {
        const selected = pods.filter(({ template }) =>
          Object.entries(selector).every(([name, value]) => template.metadata!.labels![name] === value),
        );
        expect(selected.map((pod) => pod.owner)).toEqual([owner]);
      }
    });
  });
});

describe('secrets', () => {
  /** Secret and key of everything that a pod can read, however it is given. */
  const readable = (template: ReturnType<typeof podsOf>[number]['template']): readonly string[] => {
    const { volumes = [], containers } = template.spec!;
    const fromVolumes = volumes.flatMap(({ projected, secret }) => [
      ...(projected?.sources ?? []).flatMap(({ secret: source }) =>
        source ? (source.items?.map(({ key }) => `${source.name}/${key}`) ?? [`${source.name}/*`]) : [],
      ),
      ...(secret ? [`${secret.secretName}/*`] : []),
    ]);
    const fromEnvironment = containers.flatMap(({ env = [], envFrom = [] }) => [
      ...env.flatMap(({ valueFrom }) =>
        valueFrom?.secretKeyRef ? [`${valueFrom.secretKeyRef.name}/${valueFrom.secretKeyRef.key}`] : [],
      ),
      ...envFrom.flatMap(({ secretRef }) => (secretRef ? [`${secretRef.name}/*`] : [])),
    ]);
    return [...fromVolumes, ...fromEnvironment].sort();
  };
  const byComponent = (manifest: Loose): Record<string, readonly string[]> =>
    Object.fromEntries(
      podsOf(contextOf(manifest)).map(({ template }) => [
        template.metadata!.labels!['app.kubernetes.io/component'],
        readable(template),
      ]),
    );

  test('each part is given what it needs, key by key', () => {
    expect(byComponent(testAnchor())).toEqual({
      server: ['harbor-db/url', 'harbor-hmac/key', 'harbor-keys/signing', 'harbor-session/session'],
      watcher: [
        'harbor-db/url',
        'harbor-hmac/key',
        'harbor-keys/signing',
        'harbor-keys/srt',
        'harbor-session/session',
      ],
      poll: ['harbor-db/url', 'harbor-hmac/key'],
      trustlines: ['harbor-db/url'],
      migrate: ['harbor-db/url'],
      integration: ['harbor-hmac/key'],
    });
    expect(byComponent(embedded)['database']).toEqual(['harbor-database/password']);
  });

  test('no pod but the watcher can read a distribution seed, in whatever form the Anchor is', () => {
    everyPod(({ template }, manifest) => {
      const component = template.metadata!.labels!['app.kubernetes.io/component'];
      const seeds = manifest.spec.assets.map(
        ({ distribution: { secretRef } }: Loose) => `${secretRef.name}/${secretRef.key}`,
      );
      const read = readable(template);
      const found = read.filter((one) => seeds.includes(one) || one === 'seeds/*');
      expect(found).toEqual(component === 'watcher' ? seeds.toSorted() : []);
    });
  });

  test('seeds are files: none is in a variable of the environment or an argument', () => {
    everyPod(({ template }) => {
      const { env = [], args = [] } = template.spec!.containers[0]!;
      expect(JSON.stringify([env, args])).not.toContain('seed');
    });
  });
});

test('an image of another registry, its pull secret and its policy reach every pod of ours and not the business', () => {
  const platform = {
    image: 'elsewhere.example/capstan:9',
    imagePullPolicy: 'IfNotPresent' as const,
    imagePullSecrets: ['pull'],
  };
  const context = contextOf(embedded, { platform });
  for (const { template } of podsOf(context)) {
    const [container] = template.spec!.containers;
    const isOurs = container!.name !== 'integration';
    expect(container!.image === platform.image).toBe(isOurs);
    expect(template.spec!.imagePullSecrets).toEqual(isOurs ? [{ name: 'pull' }] : undefined);
  }
});

test('variables of the spec go before ours, and none is given twice', () => {
  const env = [
    { name: 'PORT', value: '1' },
    { name: 'A', value: '2' },
  ];
  const context = contextOf(bent({ integration: { image: 'bank:1', env } }));
  const template = templateOf(find(context, 'Deployment', 'harbor-integration'))!;
  const given = template.spec!.containers[0]!.env!;
  expect(given.map(({ name }) => name).sort()).toEqual(['A', 'CAPSTAN_INTEGRATION_KEY', 'PORT', 'TMPDIR']);
  expect(given).toEqual(expect.arrayContaining(env));
});
