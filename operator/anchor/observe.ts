import { IMMUTABLE_ANNOTATION } from '../resources/build.ts';
import type { BuildContext } from '../resources/context.ts';
import { DATABASE_ANNOTATION } from '../resources/jobs.ts';
import { refOf } from '../kube/objects.ts';
import { childName, migrationJobName, type ChildRole } from '../resources/names.ts';
import { isOfAnother, type AnchorObject, type Owner } from './anchor-object.ts';
import type { Caches } from './caches.ts';
import type { ChildObject } from './child-object.ts';
import type { Observed, ObservedChild } from './observed.ts';
import { sourcesOf } from './sources.ts';

/** Versions of the Secrets and ConfigMaps that an Anchor may use, by `Secret/name`. */
export function versionsOf(caches: Caches, anchor: AnchorObject, owner: Owner): Map<string, string> {
  const versions = new Map<string, string>();
  for (const key of sourcesOf(anchor)) {
    for (const kind of ['Secret', 'ConfigMap']) {
      const source = caches.child(kind, { namespace: owner.namespace, name: refOf(key).name });
      if (!source || isOfAnother(source, owner) || source.metadata.deletionTimestamp !== undefined) continue;
      versions.set(`${kind}/${source.metadata.name}`, source.metadata.resourceVersion ?? '');
    }
  }
  return versions;
}

/** The children of an Anchor as the caches have them. */
export interface Family {
  readonly all: readonly ChildObject[];
  of(kind: string, role: ChildRole): ChildObject | undefined;
}

export function familyOf(caches: Caches, owner: Owner): Family {
  return familyOfAll(caches.childrenOf(owner.uid), owner);
}

function familyOfAll(all: readonly ChildObject[], owner: Owner): Family {
  return {
    all,
    of: (kind, role) =>
      all.find((one) => one.kind === kind && one.metadata.name === childName(owner.name, role)),
  };
}

/**
 * The same with what was just applied in place of what the caches still have: a part that is to be rolled out is not taken for one
 * that is.
 */
export function withApplied(family: Family, owner: Owner, applied: readonly ChildObject[]): Family {
  const isNewer = (one: ChildObject): boolean =>
    applied.some(({ kind, metadata }) => kind === one.kind && metadata.name === one.metadata.name);
  return familyOfAll([...family.all.filter((one) => !isNewer(one)), ...applied], owner);
}

/** @param schema the newest that the server is known to have reported */
export function observe(
  context: BuildContext,
  family: Family,
  { schema, suspendWorkers }: { readonly schema: string | undefined; readonly suspendWorkers: boolean },
): Observed {
  const jobName = migrationJobName(context.name, context.platform.schema);
  const job = family.all.find(({ kind, metadata }) => kind === 'Job' && metadata.name === jobName)?.job;
  const owned = family.of('Deployment', 'server')?.ownedReplicas;
  return {
    children: family.all.map(toObserved),
    // The workers start when the caches are filled, and an optional kind without a full cache counts as absent.
    isSynced: true,
    ...(schema !== undefined && { schema }),
    ...(job && { migrationJob: { name: jobName, state: job } }),
    isDatabaseReady: (family.of('StatefulSet', 'database')?.rollout?.ready ?? 0) > 0,
    suspendWorkers,
    ...(owned !== undefined && { ownedReplicas: owned }),
  };
}

function toObserved({ apiVersion, kind, metadata }: ChildObject): ObservedChild {
  const { annotations = {}, name, uid = '', deletionTimestamp } = metadata;
  const [immutableHash, database] = [annotations[IMMUTABLE_ANNOTATION], annotations[DATABASE_ANNOTATION]];
  return {
    apiVersion,
    kind,
    name,
    uid,
    ...(immutableHash !== undefined && { immutableHash }),
    ...(database !== undefined && { database }),
    ...(deletionTimestamp !== undefined && { isDeleting: true }),
  };
}
