import { describe, expect, test } from '@jest/globals';
import type { Cause } from './causes.ts';
import { causesOfPods, type PodObject } from './pod-causes.ts';

const NOW_MS = Date.parse('2026-11-29T12:00:00Z');
const JUST_NOW = '2026-11-29T11:59:58Z';
const COMPONENT = { 'app.kubernetes.io/component': 'server' };
const IMAGE = 'registry.example/bank:1.2.0';

type Container = NonNullable<NonNullable<PodObject['status']>['containerStatuses']>[number];

function pod(
  container: Partial<Container> | undefined,
  change: Partial<PodObject['metadata']> & { status?: PodObject['status'] } = {},
): PodObject {
  const { status, ...metadata } = change;
  const whole = { name: 'main', ready: false, restartCount: 0, ...container };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'harbor-server-1',
      creationTimestamp: '2026-11-29T11:00:00Z',
      labels: COMPONENT,
      ...metadata,
    },
    spec: { containers: [{ name: 'main', image: IMAGE, resources: { limits: { memory: '384Mi' } } }] },
    status: { phase: 'Running', ...(container && { containerStatuses: [whole] }), ...status },
  };
}

const waiting = (reason: string, message = '', change: Partial<Container> = {}): Partial<Container> => ({
  ...change,
  state: { waiting: { reason, message } },
});
const causeOf = (...pods: readonly PodObject[]): Cause | undefined =>
  causesOfPods(pods, new Map(), NOW_MS).values().next().value;

describe('why a pod does not come up', () => {
  test.each<[string, Partial<Container>, string, boolean]>([
    [
      'an image that is not there, while the kubelet waits to try again',
      waiting(
        'ImagePullBackOff',
        `Back-off pulling image "${IMAGE}": ErrImagePull: failed to pull and unpack image "${IMAGE}": failed to resolve reference "${IMAGE}": ${IMAGE}: not found`,
      ),
      `cannot get its image ${IMAGE} (${IMAGE}: not found)`,
      true,
    ],
    [
      'a registry that is not there, while it tries',
      waiting(
        'ErrImagePull',
        `failed to pull and unpack image "${IMAGE}": failed to resolve image: failed to do request: Head "https://registry.example/v2/bank/manifests/1.2.0": dial tcp 127.0.0.1:443: connect: connection refused`,
      ),
      `cannot get its image ${IMAGE} (dial tcp 127.0.0.1:443: connect: connection refused)`,
      true,
    ],
    [
      'a name that is none',
      waiting('InvalidImageName'),
      `cannot get its image ${IMAGE} (InvalidImageName)`,
      true,
    ],
    [
      'a Secret without the key that it needs',
      waiting('CreateContainerConfigError', "couldn't find key password in Secret bank/harbor-bank"),
      "cannot be started: couldn't find key password in Secret bank/harbor-bank",
      true,
    ],
    [
      'too little memory, again and again',
      waiting('CrashLoopBackOff', 'back-off 10s restarting failed container', {
        restartCount: 3,
        lastState: { terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt: JUST_NOW } },
      }),
      'was killed because it used more memory than its limit of 384Mi (OOMKilled)',
      true,
    ],
    [
      'too little memory, once: it runs again and is not ready yet',
      {
        restartCount: 1,
        state: { running: {} },
        lastState: { terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt: JUST_NOW } },
      },
      'was killed because it used more memory than its limit of 384Mi (OOMKilled)',
      false,
    ],
    [
      'an error of ours: what its last line says, without what to do',
      waiting('CrashLoopBackOff', '', {
        lastState: {
          terminated: {
            exitCode: 78,
            message: '{"level":"info"}\nerror (invalid_seed): A seed is wrong: S. Correct it.\n',
          },
        },
      }),
      'ended with: A seed is wrong: S',
      true,
    ],
    [
      'an error of ours in JSON: its message',
      waiting('CrashLoopBackOff', '', {
        lastState: {
          terminated: { exitCode: 1, message: '{"level":"fatal","msg":"nobody caught it","pid":1}' },
        },
      }),
      'ended with: nobody caught it',
      true,
    ],
    ['an end that nobody kept', waiting('CrashLoopBackOff'), 'ends again and again', true],
    ['a probe that fails', { state: { running: {} } }, 'runs, but is not ready', false],
  ])('%s', (_, container, text, isLasting) => {
    expect(causeOf(pod(container))).toEqual({ text: `pod harbor-server-1 ${text}`, isLasting });
  });

  test('no node has room for it, without what the scheduler says of preemption', () => {
    const message =
      '0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
    expect(causeOf(pod(undefined, { status: { phase: 'Pending', conditions } }))).toEqual({
      text: 'pod harbor-server-1 finds no node: 0/1 nodes are available: 1 Insufficient memory',
      isLasting: false,
    });
  });

  test('of which no more is said: the sentence ends where the saying would begin', () => {
    const conditions = [{ type: 'PodScheduled', status: 'False' }];
    const nowhere = pod(undefined, { status: { phase: 'Pending', conditions } });
    expect(causeOf(nowhere)?.text).toBe('pod harbor-server-1 finds no node');
    const evicted = pod(undefined, { status: { phase: 'Failed', reason: 'Evicted' } });
    expect(causeOf(evicted)?.text).toBe('pod harbor-server-1 was evicted');
  });

  test('what the container of somebody else wrote last is not told: it may be about a customer', () => {
    const ended = { exitCode: 1, message: 'Ada Lovelace, GB82WEST12345698765432', finishedAt: JUST_NOW };
    const labels = { 'app.kubernetes.io/component': 'integration' };
    const [cause] = causesOfPods(
      [pod(waiting('CrashLoopBackOff', '', { lastState: { terminated: ended } }), { labels })],
      new Map(),
      NOW_MS,
    ).values();
    expect(cause?.text).toBe('pod harbor-server-1 ended with exit code 1');
  });

  test.each<[string, PodObject]>([
    [
      'is ready',
      pod({ state: { running: {} } }, { status: { conditions: [{ type: 'Ready', status: 'True' }] } }),
    ],
    [
      'has done its work',
      pod({ state: { terminated: { exitCode: 0 } } }, { status: { phase: 'Succeeded' } }),
    ],
    ['is being ended', pod(waiting('ErrImagePull'), { deletionTimestamp: JUST_NOW })],
    ['is being made', pod(waiting('ContainerCreating'))],
  ])('one that %s gives no cause', (_, one) => {
    expect(causeOf(one)).toBeUndefined();
  });

  test('what a container ended with long ago is not why it is not ready now', () => {
    const finishedAt = '2026-11-29T11:40:00Z';
    const lastState = { terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt } };
    expect(causeOf(pod({ restartCount: 5, state: { running: {} }, lastState }))?.text).toContain(
      'is not ready',
    );
  });

  describe('of several pods of a part', () => {
    const slow = { state: { running: {} } };
    const broken = waiting('ErrImagePull');
    const older = { name: 'old', creationTimestamp: '2026-11-29T10:00:00Z' };

    test('the newest one is told, but what lasts before what may pass', () => {
      expect(causeOf(pod(slow, older), pod(slow))?.text).toContain('harbor-server-1 runs');
      expect(causeOf(pod(slow), pod(broken, older))?.text).toContain('pod old cannot');
    });

    test('one of another template than the wanted one is not told, be it older or newer', () => {
      const of = (hash: string) => ({ ...COMPONENT, 'pod-template-hash': hash });
      const pods = [pod(slow, { ...older, labels: of('a') }), pod(broken, { labels: of('b') })];
      const told = (hash: string) => causesOfPods(pods, new Map([['server', hash]]), NOW_MS).get('server');
      expect(told('a')?.text).toContain('pod old runs');
      expect(told('b')?.text).toContain('harbor-server-1 cannot');
      expect(told('c')).toBeUndefined();
    });
  });
});
