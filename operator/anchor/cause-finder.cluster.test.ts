import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createFakeClock } from '../../core/runtime/fake-clock.ts';
import { createNamespace } from '../../test/cluster/access.ts';
import { sharedControlPlane } from '../../test/cluster/control-plane.ts';
import { testClient, testLog, type TestClient } from '../kube/testing/cluster-client.ts';
import { ANCHOR_LABEL, COMPONENT_LABEL } from '../resources/context.ts';
import { createCauseFinder } from './cause-finder.ts';
import type { ChildObject } from './child-object.ts';
import { rollout } from './testing/knowledge.ts';

// When pods are asked for again. What their answers mean is in pod-causes.test.ts.

let client: TestClient;
let namespace: { readonly name: string; remove(): Promise<void> };
beforeAll(async () => {
  const cluster = await sharedControlPlane();
  client = await testClient(cluster);
  namespace = await createNamespace(cluster, 'finder');
}, 900_000);
afterAll(async () => {
  await namespace.remove();
  await client.close();
});

const POD = { apiVersion: 'v1', kind: 'Pod' };
const APIS = { certManager: false, gateway: false, serviceMonitor: false, prometheusRule: false };

/** A pod that no node ever takes, and that says what its one container waits for. */
async function stuckPod(part: string, reason: string): Promise<void> {
  const container = {
    name: 'main',
    image: 'registry.example/harbor:1',
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
  const name = `harbor-${part}`;
  const labels = { [ANCHOR_LABEL]: 'harbor', [COMPONENT_LABEL]: part };
  const metadata = { name, namespace: namespace.name, labels };
  const pod = { ...POD, metadata, spec: { containers: [container], nodeSelector: { no: 'node' } } };
  await client.apply(pod);
  const waiting = { state: { waiting: { reason, message: '' } }, ready: false, restartCount: 0 };
  const containerStatuses = [{ name: container.name, image: container.image, imageID: '', ...waiting }];
  await client.mergePatch(
    client.kindOf(POD),
    { namespace: namespace.name, name },
    { status: { phase: 'Pending', containerStatuses } },
    { subresource: 'status' },
  );
}

const deployment = (part: string, change: Parameters<typeof rollout>[0]): ChildObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: `harbor-${part}`, labels: { [COMPONENT_LABEL]: part } },
  version: '1',
  rollout: rollout(change),
});

const setUp = () => {
  const clock = createFakeClock();
  const finder = createCauseFinder({ client, clock, calendar: clock, log: testLog() });
  const owner = { name: 'harbor', namespace: namespace.name, uid: 'u' };
  const partsWith = async (...all: readonly ChildObject[]): Promise<readonly string[]> => {
    const family = { all, of: () => undefined };
    const { causes } = await finder.find({ owner, family, signal: new AbortController().signal }, APIS);
    return [...causes.keys()].toSorted();
  };
  return { clock, partsWith };
};

test('asks for pods again within the pause only when another part fell ill, so that it is told with its cause', async () => {
  const { clock, partsWith } = setUp();
  const integration = deployment('integration', { ready: 1, isComplete: false });
  await stuckPod('integration', 'ImagePullBackOff');
  expect(await partsWith(integration)).toEqual(['integration']);
  await stuckPod('server', 'CrashLoopBackOff');
  expect(await partsWith(integration)).toEqual(['integration']);
  const server = deployment('server', { ready: 1 });
  expect(await partsWith(integration, server)).toEqual(['integration', 'server']);
  await stuckPod('watch-transactions', 'CrashLoopBackOff');
  expect(await partsWith(integration, server)).toEqual(['integration', 'server']);
  await clock.advance(2_000);
  expect(await partsWith(integration, server)).toEqual(['integration', 'server', 'watch-transactions']);
});

test('what is wrong with the pods before is not told of a new template that has no pod yet', async () => {
  const { partsWith } = setUp();
  await stuckPod('server', 'CrashLoopBackOff');
  const server = (hasBegun: boolean) => deployment('server', { ready: 0, isComplete: false, hasBegun });
  expect(await partsWith(server(true))).toContain('server');
  expect(await partsWith(server(false))).not.toContain('server');
  expect(await partsWith(server(true))).toContain('server');
});
