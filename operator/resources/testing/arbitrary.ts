/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import fc from 'fast-check';
import { newAccount } from '../../../test/support/transaction.ts';
import type { Loose } from '../../../core/spec/test-manifest.ts';
import type { BuildContext } from '../context.ts';
import { contextOf } from './context.ts';

const optional = <T>(name: string, values: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.option(values, { nil: undefined }).map((value) => (value === undefined ? {} : { [name]: value }));

const all = (...parts: readonly fc.Arbitrary<Loose>[]): fc.Arbitrary<Loose> =>
  fc.tuple(...parts).map((values) => Object.assign({}, ...values));

/** Names at every length up to the limit, with what a label may hold. */
export const anchorNames = fc.oneof(
  fc.constantFrom('a', 'harbor', 'harbor-server', 'x'.repeat(30), `a${'-b'.repeat(14)}`),
  fc.stringMatching(/^[a-z][-a-z0-9]{0,28}[a-z0-9]$/),
);
const objectNames = fc.oneof(
  fc.constantFrom('harbor-keys', 'k', 'keys.of.harbor'),
  fc.constant('n'.repeat(253)),
);
const keys = fc.constantFrom('url', 'key', 'SEED', 'a.b_c-d');
const refs = fc.record({ name: objectNames, key: keys });
const quantities = fc.record({ cpu: fc.constantFrom('50m', 1, '2'), memory: fc.constantFrom('64Mi', '1Gi') });
const resources = fc.oneof(
  fc.record({ requests: quantities }),
  fc.record({ limits: quantities }),
  quantities.map((both) => ({ requests: both, limits: both })),
);

const assets = fc
  .uniqueArray(fc.stringMatching(/^[A-Z]{1,12}$/), { minLength: 1, maxLength: 32 })
  .chain((codes) =>
    fc.tuple(
      ...codes.map((code, index) =>
        all(
          fc.constant({
            code,
            issuer: newAccount(),
            distribution: { account: newAccount(), secretRef: { name: 'seeds', key: `seed-${index}` } },
          }),
          optional('suspended', fc.boolean()),
          optional('decimals', fc.constantFrom(0, 2, 7)),
          optional('deposit', fc.constantFrom({}, { min: '1', max: '100', fee: { fixed: '0' } })),
          optional('withdrawal', fc.constantFrom({ enabled: true }, { min: '5' })),
        ),
      ),
    ),
  );

const integrations = fc.oneof(
  all(
    fc.constant({ image: 'registry.example/bank:1' }),
    optional('replicas', fc.integer({ min: 1, max: 3 })),
    optional('port', fc.constantFrom(80, 8080, 65_535)),
    optional('resources', resources),
    optional('key', fc.record({ secretRef: refs })),
    optional(
      'env',
      fc.constantFrom(
        [{ name: 'PORT', value: '1' }],
        [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'bank', key: 'token' } } }],
      ),
    ),
    optional('envFrom', fc.constantFrom([{ configMapRef: { name: 'bank' } }])),
  ),
  fc.constantFrom({ url: 'https://bank.example' }, { url: 'http://bank.bank.svc:9000/capstan' }),
);

const exposures = fc.constantFrom<Loose[]>(
  { ingress: {} },
  { ingress: { className: 'nginx', annotations: { 'a.example/b': 'c' } } },
  { gateway: { parentRef: { name: 'public', namespace: 'gateways', sectionName: 'https' } } },
  { service: { type: 'LoadBalancer' } },
  { service: {} },
);

const specs: fc.Arbitrary<Loose> = all(
  fc.constant({
    host: 'anchor.example',
    organization: { name: 'Harbor' },
    signingKey: { account: newAccount(), secretRef: { name: 'signing', key: 'signing' } },
  }),
  fc.record({
    assets,
    integration: integrations,
    network: fc.constantFrom<Loose[]>(
      { name: 'testnet' },
      { name: 'public', horizon: ['https://h.example:8443/x', 'https://g.example'] },
      { name: 'custom', passphrase: 'Mine', horizon: ['http://horizon.stellar.svc:8000'] },
    ),
  }),
  fc.record({ database: refs.map((secretRef) => ({ secretRef })) }),
  optional('sessionKey', fc.record({ secretRef: refs })),
  optional('tls', fc.constantFrom<Loose[]>({ issuerRef: { name: 'letsencrypt' } }, { secretName: 'given' })),
  optional('expose', exposures),
  optional(
    'server',
    all(
      optional('replicas', fc.integer({ min: 1, max: 3 })),
      optional('autoscaling', fc.constantFrom({ min: 1, max: 1 }, { min: 2, max: 9, cpu: 50 })),
      optional('resources', resources),
    ),
  ),
  optional(
    'workers',
    all(
      optional('poll', fc.constantFrom({ interval: '1s', restartInterval: '1m' }, { restartInterval: '7m' })),
      optional('watcher', fc.record({ replicas: fc.integer({ min: 1, max: 3 }) })),
      optional('resources', resources),
    ),
  ),
  optional('payments', fc.record({ suspended: fc.boolean(), channels: fc.integer({ min: 0, max: 9 }) })),
);

/** Right manifests, as plain data: forms of every part, names up to the limit, up to 32 assets. */
export const manifests: fc.Arbitrary<Loose> = fc
  .record({
    name: anchorNames,
    namespace: fc.constantFrom('harbor', 'n'.repeat(63)),
    spec: specs,
    isEmbedded: fc.boolean(),
  })
  .map(({ name, namespace, spec, isEmbedded }) => ({
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'Anchor',
    metadata: { name, namespace },
    spec:
      isEmbedded && spec.network.name !== 'public'
        ? { ...spec, database: { embedded: { storage: '2Gi' } } }
        : spec,
  }));

let known: readonly { readonly manifest: Loose; readonly context: BuildContext }[] | undefined;

/** Forty of them, read once for all statements of a test file; a failure names its manifest. */
export function forManyAnchors(check: (context: BuildContext, manifest: Loose) => void): void {
  known ??= fc.sample(manifests, 40).map((manifest) => ({ manifest, context: contextOf(manifest) }));
  for (const { context, manifest } of known) {
    try {
      check(context, manifest);
    } catch (error) {
      throw new Error(`${String(error)}\nof ${JSON.stringify(manifest)}`, { cause: error });
    }
  }
}
