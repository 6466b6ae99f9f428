import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { theCluster, tool, type RealCluster } from './cluster.ts';
import { connectFrom, podAddress } from './connect.ts';
import {
  applyAnchor,
  CAPSTAN_IMAGE,
  kubectl,
  prepareAnchor,
  removeAnchor,
  serviceAddress,
  type RealAnchor,
} from './fixtures.ts';
import { listObjects } from './objects.ts';

const WITHIN_MS = 240_000;
const API_SERVER = '10.96.0.1';

describe('NetworkPolicies on a real cluster', () => {
  let cluster: RealCluster;
  let anchor: RealAnchor;
  const strangers = { namespace: 'strangers' };

  beforeAll(async () => {
    cluster = theCluster();
    anchor = await prepareAnchor(cluster, 'policed');
    await applyAnchor(anchor);
    await tool(cluster, 'kubectl', ['apply', '--filename', '-'], JSON.stringify(STRANGER));
    const place = { cluster, ...strangers };
    await kubectl(place, ['wait', '--for=condition=Ready', 'pod/stranger', '--timeout=60s']);
  }, WITHIN_MS);
  afterAll(async () => {
    await tool(cluster, 'kubectl', ['delete', 'namespace', strangers.namespace, '--timeout=60s']);
    await removeAnchor(anchor);
  }, WITHIN_MS);

  const connect = async (from: 'stranger' | 'server', address: string, port: number): Promise<string> => {
    const place = from === 'stranger' ? { cluster, ...strangers } : anchor;
    const pod = from === 'stranger' ? 'pod/stranger' : 'deployment/harbor-server';
    return connectFrom(place, pod, [address, port]);
  };
  const podOf = (component: string): Promise<string> => podAddress(anchor, component);

  test('a stranger’s pod reaches the public port, and neither integration, database, status nor the watcher', async () => {
    expect(await connect('stranger', await serviceAddress(anchor, 'harbor-server'), 443)).toBe('open');
    const closed: [string, number][] = [
      ['integration', 8080],
      ['database', 5432],
      ['server', 9090],
      ['watcher', 9091],
    ];
    for (const [component, port] of closed) {
      const answer = await connect('stranger', await podOf(component), port);
      expect({ component, answer }).toEqual({ component, answer: 'silence' });
    }
  });

  test('the server reaches what it needs, the same ports that are closed to a stranger', async () => {
    expect(await connect('server', await podOf('integration'), 8080)).toBe('open');
    expect(await connect('server', await podOf('database'), 5432)).toBe('open');
    expect(await connect('server', await podOf('watcher'), 9091)).toBe('silence');
  });

  test('the server’s pod cannot reach the API server, which a pod without policies can', async () => {
    expect(await connect('stranger', API_SERVER, 443)).toBe('open');
    expect(await connect('server', API_SERVER, 443)).toBe('silence');
  });

  test('a policy that somebody deletes is put back by the operator, and the stranger is kept out', async () => {
    const address = await podOf('integration');
    await kubectl(anchor, ['delete', 'networkpolicy', 'harbor-integration']);
    const isBack = await eventually(
      'the operator has put the policy back',
      async () => {
        const policies = await listObjects(anchor, 'NetworkPolicy');
        return policies.some(({ metadata }) => metadata.name === 'harbor-integration');
      },
      30_000,
    );
    expect(isBack).toBe(true);
    const isClosed = async (): Promise<boolean> => (await connect('stranger', address, 8080)) === 'silence';
    expect(await eventually('the stranger is kept out', isClosed, 30_000)).toBe(true);
  }, 90_000);
});

const STRANGER = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'strangers', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'stranger', namespace: 'strangers' },
      spec: {
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 10_001,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'stranger',
            image: CAPSTAN_IMAGE,
            command: ['node', '--eval', 'setInterval(() => {}, 60_000)'],
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
          },
        ],
      },
    },
  ],
};
