/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-argument, typescript/no-unsafe-return, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { expect, test } from '@jest/globals';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { eventually } from '../../test/support/eventually.ts';
import { toChild } from './child-object.ts';
import { simpleAnchor, type Harbour } from './testing/harness.ts';
import { eachHarbour, LIMIT_MS, SOON_MS } from './testing/stage.ts';

// What a kubelet writes of pods, told in conditions, and told no more once it is over. Pods are faked.

let harbour: Harbour;
eachHarbour('causes', (given) => void (harbour = given));

/** What the kubelet says of the one container of a pod. */
async function say(pod: Loose, status: object): Promise<void> {
  const [{ name, image }] = pod.spec.containers;
  const whole = { name, image, imageID: '', ready: false, restartCount: 0, ...status };
  const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'False' }));
  await harbour.api(
    'PATCH',
    `${harbour.path('Pod', pod.metadata.name)}/status`,
    { status: { conditions, containerStatuses: [whole] } },
    'application/strategic-merge-patch+json',
  );
}

const podOf = (prefix: string, isSo: (pod: Loose) => boolean): Promise<Loose> =>
  eventually(
    `a pod ${prefix}…`,
    async () => (await harbour.list('Pod')).find((pod) => pod.metadata.name.startsWith(prefix) && isSo(pod)),
    SOON_MS,
  );

test(
  'an image that cannot be had is told while the old version goes on, and told no more when another one is named',
  async () => {
    await harbour.operate();
    const manifest = await simpleAnchor(harbour, 'harbor');
    manifest.spec.integration = { image: 'registry.example/bank:1' };
    await harbour.apply(manifest);
    await harbour.condition('harbor', 'IntegrationReady', 'NotReported');
    const image = 'registry.example/broken:2';
    await harbour.apply({ ...manifest, spec: { ...manifest.spec, integration: { image } } });
    const pod = await podOf('harbor-integration-', ({ spec, status }) => {
      return spec.containers[0].image === image && status.containerStatuses !== undefined;
    });
    const message = `Back-off pulling image "${image}": ErrImagePull: not found`;
    await say(pod, { state: { waiting: { reason: 'ImagePullBackOff', message } } });
    const told = await eventually('the image is told', async () => {
      const found = await harbour.condition('harbor', 'IntegrationReady', 'Stuck');
      return found.message.includes('image') && found;
    });
    expect(told.message).toBe(
      `A new version of the integration does not come up; the old one goes on: pod ${pod.metadata.name} cannot get its image ${image} (not found).`,
    );
    await harbour.condition('harbor', 'Ready', 'NotReady');
    // The controller's own words, of which Kubernetes promises nothing, name the template whose pods count.
    const { rollout } = toChild('Deployment', await harbour.get('Deployment', 'harbor-integration'));
    expect(rollout?.template).toBe(pod.metadata.labels['pod-template-hash']);
    await harbour.apply(manifest);
    await harbour.condition('harbor', 'IntegrationReady', 'NotReported');
    await harbour.quiet();
  },
  LIMIT_MS,
);

test(
  'a server that was killed for its memory is told in the condition and in an Event, until it is ready again',
  async () => {
    await harbour.operate();
    await harbour.apply(await simpleAnchor(harbour, 'harbor'));
    await harbour.condition('harbor', 'ServerReady', 'Available');
    const pod = await podOf('harbor-server-', () => true);
    const finishedAt = new Date().toISOString();
    const terminated = { reason: 'OOMKilled', exitCode: 137, startedAt: finishedAt, finishedAt };
    await say(pod, { restartCount: 1, state: { running: {} }, lastState: { terminated } });
    const { message } = await harbour.condition('harbor', 'ServerReady', 'Unavailable');
    expect(message).toBe(
      `Fewer pods of the server are ready than are needed: 1 of 2 ready, pod ${pod.metadata.name} was killed because it used more memory than its limit of 384Mi (OOMKilled).`,
    );
    await harbour.api(
      'PATCH',
      `${harbour.path('Pod', pod.metadata.name)}/status`,
      { status: { conditions: ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True' })) } },
      'application/strategic-merge-patch+json',
    );
    await harbour.condition('harbor', 'ServerReady', 'Available');
    const events = await eventually('the Event is written', async () => {
      const found = (await harbour.list('Event')).filter(({ reason }) => reason === 'Unavailable');
      return found.length > 0 && found;
    });
    expect(events.map(({ type, note }) => [type, note])).toEqual([['Warning', message]]);
  },
  LIMIT_MS,
);

/** How an operator that has asked for pods asks for them once it has come to rest, even when it reconciles. */
async function looksAtRest(): Promise<readonly unknown[]> {
  await harbour.quiet();
  const before = (await harbour.looks('pods')).length;
  if (before === 0) throw new Error('no pods were ever asked for');
  await harbour.annotate('harbor', { 'example.com/note': 'nothing that is acted upon' });
  await harbour.quiet(5_000);
  return (await harbour.looks('pods')).slice(before);
}

test(
  'an operator at rest asks for no pods',
  async () => {
    await harbour.operate();
    await harbour.apply(await simpleAnchor(harbour, 'harbor'));
    await harbour.condition('harbor', 'ServerReady', 'Available');
    expect(await looksAtRest()).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'an operator at rest asks for no pods after an upgrade that left the pod of the embedded database as it was',
  async () => {
    const before = await harbour.operate({ platformChange: { image: 'capstan:1' } });
    const manifest = await simpleAnchor(harbour, 'harbor');
    manifest.spec.database = { embedded: {} };
    await harbour.api('POST', '/api/v1/persistentvolumes', {
      metadata: { name: harbour.name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        claimRef: { namespace: harbour.name, name: 'data-harbor-database-0' },
        hostPath: { path: '/nowhere' },
      },
    });
    await harbour.apply(manifest);
    await harbour.condition('harbor', 'ServerReady', 'Available');
    await before.stop();
    await harbour.operate({ platformChange: { image: 'capstan:2' } });
    await eventually(
      'the database is of the new image, and its pod of the old one',
      async () => {
        const { spec, status } = await harbour.get('StatefulSet', 'harbor-database');
        const [{ image }] = spec.template.spec.containers;
        return image === 'capstan:2' && status.readyReplicas === 1 && !status.updatedReplicas;
      },
      SOON_MS,
    );
    await harbour.quiet();
    await harbour.condition('harbor', 'ServerReady', 'Available');
    expect(await looksAtRest()).toEqual([]);
  },
  LIMIT_MS,
);
