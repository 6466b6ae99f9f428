import { microTime } from './objects.ts';
import type { KubeObject, ObjectRef } from './objects.ts';

/** coordination.k8s.io/v1; times are strings, whatever client-node's types say. */
export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** A lease as we saw it last. */
export interface Sighting {
  readonly lease: Lease;
  /** When it changed before our eyes, by the monotonic clock: other machines' dates are not believed. */
  readonly sinceMs: number;
}

const recordOf = ({ spec }: Lease): string =>
  JSON.stringify([spec?.holderIdentity, spec?.renewTime, spec?.acquireTime, spec?.leaseTransitions]);

/** A lease that looks as it did counts from when it first looked so. */
export const see = (lease: Lease, before: Sighting | undefined, nowMs: number): Sighting => ({
  lease,
  sinceMs: before !== undefined && recordOf(before.lease) === recordOf(lease) ? before.sinceMs : nowMs,
});

export const holderOf = (lease: Lease): string | undefined => lease.spec?.holderIdentity || undefined;

/** From when on we may take it: now if nobody holds it, else a whole duration after its last change that we saw. */
export function freeAt({ lease, sinceMs }: Sighting, leaseMs: number): number {
  if (holderOf(lease) === undefined) return sinceMs;
  return sinceMs + Math.max(leaseMs, (lease.spec?.leaseDurationSeconds ?? 0) * 1_000);
}

/** The lease with us as its holder; with `before` its transitions go on counting and a 409 tells that another was first. */
export function held(options: {
  readonly ref: ObjectRef;
  readonly identity: string;
  readonly leaseMs: number;
  /** Calendar. */
  readonly nowMs: number;
  readonly before?: Lease | undefined;
}): Lease {
  const { ref, identity, leaseMs, nowMs, before } = options;
  const isRenewal = before !== undefined && holderOf(before) === identity;
  const transitions = before?.spec?.leaseTransitions ?? 0;
  const now = microTime(nowMs);
  return {
    ...bare(ref, before),
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1_000),
      acquireTime: isRenewal ? (before.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: isRenewal || before === undefined ? transitions : transitions + 1,
    },
  };
}

/** The lease given back: anybody may take it at once. */
export const released = (ref: ObjectRef, before: Lease, nowMs: number): Lease => ({
  ...bare(ref, before),
  spec: {
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: microTime(nowMs),
    renewTime: microTime(nowMs),
    leaseTransitions: before.spec?.leaseTransitions ?? 0,
  },
});

const bare = (
  { name, namespace }: ObjectRef,
  before: Lease | undefined,
): Pick<Lease, 'apiVersion' | 'kind' | 'metadata'> => {
  const version = before?.metadata.resourceVersion;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...before?.metadata,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(version === undefined ? {} : { resourceVersion: version }),
    },
  };
};
