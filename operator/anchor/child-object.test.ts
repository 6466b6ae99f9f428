import { describe, expect, test } from '@jest/globals';
import { toChild } from './child-object.ts';

const AVAILABLE = { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' };
const counts = { replicas: 2, updatedReplicas: 2, readyReplicas: 2 };

const rollout = (status: object, generation = 3) => {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'harbor-server', generation },
    spec: { replicas: 2 },
    status: { observedGeneration: 3, ...status },
  };
  return toChild('Deployment', object).rollout;
};

describe('the rollout of a Deployment', () => {
  test.each<[string, object, { isComplete: boolean; isStuck: boolean }]>([
    ['that nobody has begun with', {}, { isComplete: false, isStuck: false }],
    [
      'whose first pods are not ready yet',
      { ...counts, readyReplicas: 0, conditions: [{ ...AVAILABLE, reason: 'ReplicaSetUpdated' }] },
      { isComplete: false, isStuck: false },
    ],
    ['that has arrived', { ...counts, conditions: [AVAILABLE] }, { isComplete: true, isStuck: false }],
    [
      'that had arrived and whose pods fail',
      { ...counts, readyReplicas: 0, conditions: [AVAILABLE] },
      { isComplete: true, isStuck: false },
    ],
    [
      'of which an old pod still ends',
      { ...counts, replicas: 3, conditions: [AVAILABLE] },
      { isComplete: false, isStuck: false },
    ],
    [
      'that took too long',
      { ...counts, readyReplicas: 1, conditions: [{ ...AVAILABLE, reason: 'ProgressDeadlineExceeded' }] },
      { isComplete: false, isStuck: true },
    ],
  ])('%s', (_, status, expected) => {
    expect(rollout(status)).toMatchObject(expected);
  });

  test('is not judged by a status of the spec before', () => {
    const before = { isComplete: false, hasBegun: false };
    expect(rollout({ ...counts, conditions: [AVAILABLE] }, 4)).toMatchObject(before);
  });

  test('has begun once there is a pod of the newest template', () => {
    const conditions = [{ ...AVAILABLE, reason: 'ReplicaSetUpdated' }];
    expect(rollout({ ...counts, updatedReplicas: 0, conditions })).toMatchObject({ hasBegun: false });
    expect(rollout({ ...counts, updatedReplicas: 1, conditions })).toMatchObject({ hasBegun: true });
  });
});

describe('the newest template of a Deployment', () => {
  test.each([
    ['Created new replica set "harbor-server-7d9c5b8f46"', '7d9c5b8f46'],
    ['Found new replica set "harbor-server-7d9c5b8f46"', '7d9c5b8f46'],
    ['ReplicaSet "harbor-server-7d9c5b8f46" is progressing.', '7d9c5b8f46'],
    ['ReplicaSet "harbor-server-7d9c5b8f46" has successfully progressed.', '7d9c5b8f46'],
    ['ReplicaSet "harbor-server-7d9c5b8f46" has timed out progressing.', '7d9c5b8f46'],
    ['Deployment is paused', undefined],
  ])('is read from: %s', (message, template) => {
    expect(rollout({ ...counts, conditions: [{ ...AVAILABLE, message }] })?.template).toBe(template);
  });
});

describe('the rollout of a StatefulSet', () => {
  const isComplete = (type: string, status: object, generation = 3) => {
    const object = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'harbor-database', generation },
      spec: { replicas: 1, updateStrategy: { type } },
      status: { observedGeneration: 3, ...status },
    };
    return toChild('StatefulSet', object).rollout?.isComplete;
  };
  const before = { replicas: 1, readyReplicas: 1, updatedReplicas: 0 };

  test('is over under OnDelete although its pod is of the template before: nobody makes that anew', () => {
    expect(isComplete('OnDelete', before)).toBe(true);
    expect(isComplete('RollingUpdate', before)).toBe(false);
  });

  test('is not over while its pod is to be made, or the status is that of the spec before', () => {
    expect(isComplete('OnDelete', { replicas: 0 })).toBe(false);
    expect(isComplete('OnDelete', before, 4)).toBe(false);
  });
});

describe('a Job', () => {
  const condition = (type: string) => ({ conditions: [{ type, status: 'True' }] });
  test.each([
    ['that nobody has begun with', {}, 'running'],
    ['whose first pod runs', { active: 1 }, 'running'],
    ['of which a pod has failed', { active: 1, failed: 1 }, 'failing'],
    ['that has given up', { failed: 6, ...condition('Failed') }, 'failed'],
    ['that was done in the end', { failed: 1, succeeded: 1, ...condition('Complete') }, 'complete'],
  ])('%s', (_, status, expected) => {
    const object = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'harbor-migrate-0001' }, status };
    expect(toChild('Job', object).job).toBe(expected);
  });
});

const CERTIFICATE = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'harbor-server', generation: 2 },
};

describe('the state of a Certificate', () => {
  const stateOf = (...conditions: readonly object[]) =>
    toChild('Certificate', Object.assign({ ...CERTIFICATE }, { status: { conditions } })).certificate;
  const ready = { type: 'Ready', status: 'False', reason: 'DoesNotExist', message: 'Issuing' };

  test.each(['Failed', 'policy.example.com'])(
    'is failed when its request was, with the reason %s',
    (reason) => {
      const issuing = { type: 'Issuing', status: 'False', reason, message: 'It was denied: no.' };
      expect(stateOf(ready, issuing)).toEqual({ state: 'failed', message: 'It was denied: no.' });
      expect(stateOf({ ...ready, status: 'True' }, issuing)).toEqual({ state: 'issued' });
    },
  );

  test('is not that of the spec before', () => {
    const issued = { type: 'Ready', status: 'True', observedGeneration: 1 };
    expect(stateOf(issued)).toEqual({ state: 'pending' });
    expect(stateOf({ ...issued, observedGeneration: 2 })).toEqual({ state: 'issued' });
  });

  test('is pending while cert-manager is at work', () => {
    expect(stateOf(ready, { type: 'Issuing', status: 'True', reason: 'DoesNotExist' })).toEqual({
      state: 'pending',
    });
    expect(stateOf()).toEqual({ state: 'pending' });
  });
});
