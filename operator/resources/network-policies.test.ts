import { describe, expect, test } from '@jest/globals';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { labelsOf } from './context.ts';
import type { ChildRole } from './names.ts';
import { networkPolicies } from './network-policies.ts';
import { bent, contextOf, TEST_PLATFORM, type TestContextOptions } from './testing/context.ts';
import { isAllowed, type End } from './testing/policy-evaluator.ts';

/** Who may call whom in the world of one Anchor. */
function world(manifest: Loose, options: TestContextOptions = {}) {
  const context = contextOf(manifest, options);
  const policies = networkPolicies(context);
  const stranger = (namespace: string, labels: Record<string, string> = { app: 'stranger' }): End => ({
    namespace,
    namespaceLabels: { 'kubernetes.io/metadata.name': namespace },
    labels,
  });
  const pod = (role: ChildRole): End => ({
    ...stranger(context.namespace),
    labels: labelsOf(context, role),
  });
  const named: Record<string, End> = {
    ...Object.fromEntries(
      (['server', 'watcher', 'poll', 'trustlines', 'migrate', 'integration', 'database'] as const).map(
        (role) => [role, pod(role)],
      ),
    ),
    operator: stranger('capstan-system', { 'app.kubernetes.io/name': 'capstan-operator' }),
    prometheus: stranger('monitoring', { 'app.kubernetes.io/name': 'prometheus' }),
    ingress: stranger('ingress-nginx', { app: 'nginx' }),
    neighbour: stranger(context.namespace),
    stranger: stranger('elsewhere'),
    internet: { address: '93.184.216.34' },
    internet6: { address: '2606:2800:220:1::1' },
    metadata: { address: '169.254.169.254' },
    intranet: { address: '10.1.2.3' },
    loopback6: { address: 'fd00::1' },
  };
  return (from: string, to: string, port: number, protocol: 'TCP' | 'UDP' = 'TCP'): boolean => {
    const [source, target] = [named[from], named[to]];
    if (!source || !target) throw new Error(`${from} or ${to} is nobody`);
    return isAllowed(policies, { from: source, to: target, port, protocol });
  };
}

const harbor = bent({ database: { embedded: {} }, expose: { ingress: {} } });

describe('an anchor with everything in the cluster', () => {
  test.each([
    // The public port: an ingress controller may sit anywhere, on a node's own address too.
    ['ingress', 'server', 8080, true],
    ['internet', 'server', 8080, true],
    ['ingress', 'server', 8443, false],
    // The private port.
    ['operator', 'server', 9090, true],
    ['prometheus', 'server', 9090, true],
    ['ingress', 'server', 9090, false],
    ['internet', 'server', 9090, false],
    ['neighbour', 'server', 9090, false],
    ['stranger', 'server', 9090, false],
    // Nobody calls the watcher but metrics.
    ['prometheus', 'watcher', 9091, true],
    ['prometheus', 'watcher', 9090, false],
    ['operator', 'watcher', 9091, false],
    ['server', 'watcher', 9091, false],
    ['neighbour', 'watcher', 9091, false],
    ['integration', 'watcher', 9091, false],
    // Nor the workers and the migration.
    ['prometheus', 'poll', 9090, false],
    ['neighbour', 'trustlines', 9090, false],
    ['operator', 'migrate', 9090, false],
    // The integration.
    ['server', 'integration', 8080, true],
    ['watcher', 'integration', 8080, true],
    ['poll', 'integration', 8080, true],
    ['migrate', 'integration', 8080, false],
    ['neighbour', 'integration', 8080, false],
    ['stranger', 'integration', 8080, false],
    ['operator', 'integration', 8080, false],
    ['internet', 'integration', 8080, false],
    ['server', 'integration', 9999, false],
    ['integration', 'internet', 25, true],
    // The embedded database.
    ['server', 'database', 5432, true],
    ['watcher', 'database', 5432, true],
    ['poll', 'database', 5432, true],
    ['trustlines', 'database', 5432, true],
    ['migrate', 'database', 5432, true],
    ['integration', 'database', 5432, false],
    ['neighbour', 'database', 5432, false],
    ['operator', 'database', 5432, false],
    ['database', 'internet', 443, false],
    ['database', 'server', 8080, false],
    // The internet.
    ['server', 'internet', 443, true],
    ['server', 'internet6', 443, true],
    ['watcher', 'internet', 443, true],
    ['trustlines', 'internet', 443, true],
    ['poll', 'internet', 443, false],
    ['migrate', 'internet', 443, false],
    ['server', 'internet', 80, false],
    ['watcher', 'internet', 22, false],
    ['server', 'metadata', 443, false],
    ['watcher', 'intranet', 443, false],
    ['server', 'loopback6', 443, false],
    ['server', 'stranger', 443, false],
    ['trustlines', 'integration', 8080, false],
  ])('%s → %s:%i is %s', (from, to, port, expected) => {
    expect(world(harbor)(from, to, port)).toBe(expected);
  });

  test.each(['server', 'watcher', 'poll', 'trustlines', 'migrate'])('%s resolves names anywhere', (role) => {
    const may = world(harbor);
    expect([may(role, 'stranger', 53, 'UDP'), may(role, 'internet', 53, 'TCP')]).toEqual([true, true]);
    expect(may(role, 'stranger', 54, 'UDP')).toBe(false);
  });
});

describe('other forms', () => {
  test('a LoadBalancer opens HTTPS to the world, and the plain port to nobody', () => {
    const may = world(bent({ tls: { secretName: 'cert' }, expose: { service: { type: 'LoadBalancer' } } }));
    expect([may('internet', 'server', 8443), may('internet', 'server', 8080)]).toEqual([true, false]);
  });

  test('a ClusterIP Service is open to the pods of the cluster alone', () => {
    const may = world(bent({ tls: { secretName: 'cert' } }));
    expect([may('stranger', 'server', 8443), may('internet', 'server', 8443)]).toEqual([true, false]);
  });

  test('where the controller is known, it alone reaches the plain port', () => {
    const ingress = { namespaceLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } };
    const may = world(harbor, { platform: { ingress } });
    expect([
      may('ingress', 'server', 8080),
      may('stranger', 'server', 8080),
      may('internet', 'server', 8080),
    ]).toEqual([true, false, false]);
  });

  test('without Prometheus nobody calls the watcher', () => {
    const { monitoring: _, ...platform } = TEST_PLATFORM;
    const context = contextOf(harbor);
    const policies = networkPolicies({ ...context, platform });
    const { spec } = policies.find(({ metadata }) => metadata.name === 'harbor-watch-transactions')!;
    expect(spec.policyTypes).toContain('Ingress');
    expect(spec.ingress ?? []).toEqual([]);
  });

  test('a database of its own is reached on its port, wherever it is, and on no other', () => {
    const may = world(bent({ database: { secretRef: { name: 'db', key: 'url' }, port: 6432 } }));
    for (const role of ['server', 'watcher', 'poll', 'trustlines', 'migrate']) {
      expect([may(role, 'intranet', 6432), may(role, 'internet', 6432), may(role, 'intranet', 5432)]).toEqual(
        [true, true, false],
      );
    }
  });

  test('a Horizon with a port of its own is reached by who reads the ledger', () => {
    const network = { name: 'custom', passphrase: 'Mine', horizon: ['http://horizon.stellar.svc:8000'] };
    const may = world(bent({ network }));
    expect(['server', 'watcher', 'trustlines', 'poll'].map((role) => may(role, 'intranet', 8000))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  test('an HTTPS Horizon inside the cluster opens 443 inside as well', () => {
    const network = { name: 'custom', passphrase: 'Mine', horizon: ['https://horizon.stellar.svc'] };
    expect(world(bent({ network }))('watcher', 'intranet', 443)).toBe(true);
  });

  test('an integration elsewhere is reached by URL, and there is no policy for one of ours', () => {
    const manifest = bent({ integration: { url: 'https://bank.example:8443/capstan' } });
    const may = world(manifest);
    expect([
      may('poll', 'internet', 8443),
      may('poll', 'internet', 443),
      may('migrate', 'internet', 8443),
    ]).toEqual([true, false, false]);
    const names = networkPolicies(contextOf(manifest)).map(({ metadata }) => metadata.name);
    expect(names).not.toContain('harbor-integration');
  });

  test('they can be switched off', () => {
    expect(networkPolicies(contextOf(harbor, { platform: { networkPolicies: false } }))).toEqual([]);
  });
});
