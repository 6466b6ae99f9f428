import { describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../resources/kubernetes.ts';
import { createApplyMemory } from './apply-memory.ts';
import type { ChildObject } from './child-object.ts';

const ID = 'v1/Service/harbor-server';
const OWNER = 'uid-of-the-anchor';

const intent = (port = 80): KubernetesObject =>
  Object.assign(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'harbor-server',
        namespace: 'harbor',
        labels: { part: 'server' },
        annotations: { note: 'ours' },
        ownerReferences: [
          {
            apiVersion: 'capstan.dev/v1alpha1' as const,
            kind: 'Anchor' as const,
            name: 'harbor',
            uid: OWNER,
            controller: true as const,
            blockOwnerDeletion: true as const,
          },
        ],
      },
    },
    { spec: { ports: [{ port }] } },
  );

/** The child as a cache has it. */
const actual = (
  resourceVersion: string,
  change: Partial<Omit<ChildObject, 'metadata'>> & {
    readonly metadata?: Partial<ChildObject['metadata']>;
  } = {},
): ChildObject => {
  const { metadata, ...rest } = change;
  const { name, namespace, labels, annotations, ownerReferences } = intent().metadata;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    version: 'spec-1',
    ...rest,
    metadata: {
      name,
      namespace,
      uid: 'uid-1',
      resourceVersion,
      labels,
      annotations: { ...annotations, theirs: 'too' },
      ownerReferences: ownerReferences ?? [],
      ...metadata,
    },
  };
};

const createClock = () => {
  let nowMs = 1_000;
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: () => Promise.reject(new Error('a memory does not sleep')),
    advance: (ms: number) => void (nowMs += ms),
  };
};

/** A memory that applied the Service once; the server made resourceVersion 100 of it. */
function remembering() {
  const clock = createClock();
  const memory = createApplyMemory(clock);
  memory.remember(OWNER, intent(), ID, actual('100'));
  return { clock, memory, verdict: (child?: ChildObject) => memory.verdict(OWNER, intent(), ID, child) };
}

describe('what was applied', () => {
  test('is applied when nothing is known of it, and when something else is meant', () => {
    const { memory } = remembering();
    expect(memory.verdict(OWNER, intent(8080), ID, actual('100'))).toBe('apply');
    expect(memory.verdict('another anchor', intent(), ID, actual('100'))).toBe('apply');
    expect(createApplyMemory(createClock()).verdict(OWNER, intent(), ID, actual('100'))).toBe('apply');
  });

  test('is settled as the server made it, whatever others put beside it or its status says', () => {
    const { verdict } = remembering();
    expect(verdict(actual('100'))).toBe('settled');
    expect(verdict(actual('250'))).toBe('settled');
    expect(verdict(actual('250', { metadata: { labels: { part: 'server', more: 'x' } } }))).toBe('settled');
  });

  test.each([
    ['its spec', actual('101', { version: 'spec-2' })],
    ['a label of ours', actual('101', { metadata: { labels: { part: 'other' } } })],
    ['our annotation, by taking it away', actual('101', { metadata: { annotations: {} } })],
    ['its owner', actual('101', { metadata: { ownerReferences: [] } })],
    ['the object itself: another one of its name', actual('101', { metadata: { uid: 'uid-2' } })],
  ])('is applied again when somebody changed %s', (_, changed) => {
    expect(remembering().verdict(changed)).toBe('apply');
  });

  test('is not taken for changed by a cache that is older than our apply', () => {
    const { verdict } = remembering();
    expect(verdict(actual('99', { version: 'spec-0' }))).toBe('settled');
    expect(verdict(actual('101', { version: 'spec-0' }))).toBe('apply');
    // Resource versions are numbers: 99 is older than 100 though it sorts behind it as text.
    expect(verdict(actual('1000', { version: 'spec-0' }))).toBe('apply');
  });

  test('is looked for again while the cache does not show it, and applied anew after half a minute', () => {
    const { clock, verdict } = remembering();
    expect(verdict()).toBe(30_001);
    clock.advance(30_000);
    expect(verdict()).toBe(1);
    clock.advance(1);
    expect(verdict()).toBe('apply');
  });

  test('is applied at once when it was seen to go, if it was that very one', () => {
    const { memory, verdict } = remembering();
    memory.forgetChild(OWNER, ID, 'uid-of-one-before');
    expect(verdict()).toBeGreaterThan(0);
    memory.forgetChild(OWNER, ID, 'uid-1');
    expect(verdict()).toBe('apply');
  });

  test('is forgotten with its Anchor', () => {
    const { memory, verdict } = remembering();
    memory.forget(OWNER);
    expect(verdict(actual('100'))).toBe('apply');
  });
});

describe('another writer who keeps changing a child', () => {
  /** Applies, and somebody changes it `afterMs` later. @returns the verdict then */
  function dispute() {
    const { clock, memory, verdict } = remembering();
    let version = 100;
    return {
      clock,
      changed: (afterMs = 0) => {
        clock.advance(afterMs);
        version += 1;
        return verdict(actual(String(version), { version: `theirs-${version}` }));
      },
      repair: () => {
        version += 1;
        memory.remember(OWNER, intent(), ID, actual(String(version)));
      },
    };
  }

  test('is put right at once twice, then ever more rarely, up to once a minute', () => {
    const { clock, changed, repair } = dispute();
    const waits = Array.from({ length: 14 }, () => {
      const verdict = changed();
      const waitMs = typeof verdict === 'number' ? verdict : 0;
      clock.advance(waitMs);
      expect(changed()).toBe('apply');
      repair();
      return waitMs;
    });
    expect(waits.slice(0, 6)).toEqual([0, 0, 500, 1_000, 2_000, 4_000]);
    expect(waits.slice(-2)).toEqual([60_000, 60_000]);
  });

  test('says how long is left of the wait', () => {
    const { clock, changed, repair } = dispute();
    for (let round = 0; round < 2; round += 1) {
      changed();
      repair();
    }
    clock.advance(200);
    expect(changed()).toBe(300);
  });

  test('is no dispute any more after a while of peace', () => {
    const { changed, repair } = dispute();
    for (let round = 0; round < 4; round += 1) {
      changed();
      repair();
    }
    expect(changed(60_000)).toBe('apply');
    repair();
    expect(changed()).toBe('apply');
    repair();
    expect(changed()).toBe('apply');
  });

  test('is no dispute where we changed our mind ourselves', () => {
    const { memory } = remembering();
    for (const port of [81, 82, 83, 84]) memory.remember(OWNER, intent(port), ID, actual('200'));
    expect(memory.verdict(OWNER, intent(84), ID, actual('300', { version: 'theirs' }))).toBe('apply');
  });
});
