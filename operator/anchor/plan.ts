import {
  children,
  IMMUTABLE_ANNOTATION,
  migration,
  type Child,
  type OptionalApi,
} from '../resources/build.ts';
import type { BuildContext } from '../resources/context.ts';
import { certificateSecret } from '../resources/exposure.ts';
import { databaseFingerprint } from '../resources/jobs.ts';
import { idOf, type KubernetesObject } from '../resources/kubernetes.ts';
import { childName } from '../resources/names.ts';
import { generatedSecrets, sourceKey, type GeneratedSecret, type Source } from '../resources/secrets.ts';
import type { Observed, ObservedChild } from './observed.ts';

/** One write, in its place of the order. */
export type Step =
  /** Where there is none; what is there stays as it is. */
  | { readonly do: 'create'; readonly id: string; readonly secret: GeneratedSecret }
  /** Server-side apply. */
  | { readonly do: 'apply'; readonly id: string; readonly object: KubernetesObject }
  /** Delete the one with this uid, wait until it is gone, then apply: a field that cannot be changed has changed. */
  | {
      readonly do: 'replace';
      readonly id: string;
      readonly object: KubernetesObject;
      readonly uid: string;
    }
  /** Apply with the other field manager, so that the next apply of ours can leave the field out and it stays as it is. */
  | {
      readonly do: 'handOver';
      readonly id: string;
      readonly object: ReplicasOnly;
      readonly fieldManager: typeof HANDOVER_MANAGER;
    };

/** A Deployment of which nothing but the number of replicas is said. */
export interface ReplicasOnly {
  readonly apiVersion: 'apps/v1';
  readonly kind: 'Deployment';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly replicas: number };
}

/** Holds `replicas` of a Deployment between us and its autoscaler. */
export const HANDOVER_MANAGER = 'capstan-operator-handover';

/** A child that is not touched now, and why. */
export interface Held {
  readonly id: string;
  readonly object: KubernetesObject;
  readonly waitsFor: 'schema' | 'sources' | 'database';
  /** What is missing, for `sources`. */
  readonly missing: readonly Source[];
}

/**
 * Where the schema stands. `current`: as new as the release needs. `migrated`: the Job is done, the server has not said so
 * yet. Under the others the version that serves goes on. `failing`: it is being tried again.
 */
export type SchemaGate = 'current' | 'migrated' | 'waiting' | 'running' | 'failing' | 'failed';

/** Whether the migration came to a bad end, the last time that it was tried. */
export const hasFailed = ({ schema }: Pick<Plan, 'schema'>): boolean =>
  schema === 'failed' || schema === 'failing';

export interface Plan {
  readonly steps: readonly Step[];
  readonly held: readonly Held[];
  /** Owned and no longer named, last. Empty until caches are synced. */
  readonly prune: readonly ObservedChild[];
  readonly schema: SchemaGate;
  /** Secrets and ConfigMaps that the spec names and that are not there. */
  readonly missing: readonly Source[];
  /** APIs of the cluster that the spec needs and that are not there. */
  readonly missingApis: readonly OptionalApi[];
}

/**
 * What is to be done for an Anchor, from its spec and what is observed: the writes in their order, what waits, what goes.
 * Pure: the same input gives the same plan, and a plan that was carried out gives one that writes the same again.
 */
export function planAnchor(context: BuildContext, observed: Observed): Plan {
  const known = new Map(observed.children.map((child) => [idOf({ ...child, metadata: child }), child]));
  const secrets = generatedSecrets(context);
  const job = migration(context);
  const schema = schemaGate(context, observed, known, job);
  const wanted = children(context, childOptions(context, observed, known));
  const served = wanted.filter(({ api }) => api === undefined || context.apis[api]);
  const verdicts = served.map((child) => verdictOf(child, { context, known, schema }));
  const migrating = schema === 'waiting' ? jobVerdict(context, observed, job) : undefined;
  const steps: Step[] = [
    ...secrets
      .filter(({ name }) => !context.versions.has(`Secret/${name}`))
      .map((secret): Step => ({ do: 'create', id: secret.id, secret })),
    ...handOver(context, observed),
    ...withMigration(
      verdicts.flatMap((verdict) => ('apply' in verdict ? [stepOf(verdict.apply, known)] : [])),
      migrating && 'object' in migrating ? [stepOf(migrating.object, known)] : [],
    ),
  ];
  const held = verdicts.flatMap((verdict) => ('held' in verdict ? [verdict.held] : []));
  const names = new Set([...served, job].map(({ object }) => idOf(object)));
  return {
    steps,
    held: [...held, ...(migrating && 'held' in migrating ? [migrating.held] : [])],
    prune: observed.isSynced ? observed.children.filter((child) => isGone(child, names)) : [],
    schema,
    missing: missingSources(context, [...served, job]),
    missingApis: [...new Set(wanted.flatMap(({ api }) => (api && !context.apis[api] ? [api] : [])))],
  };
}

/** Secrets stay: a pod that still runs may need them, and they go with the Anchor. */
const isGone = (child: ObservedChild, names: ReadonlySet<string>): boolean =>
  child.kind !== 'Secret' && child.isDeleting !== true && !names.has(idOf({ ...child, metadata: child }));

type Known = ReadonlyMap<string, ObservedChild>;

function schemaGate(context: BuildContext, observed: Observed, known: Known, job: Child): SchemaGate {
  const server = known.get(`apps/v1/Deployment/${childName(context.name, 'server')}`);
  const needed = context.platform.schema;
  const isBehind = observed.schema === undefined || observed.schema < needed;
  // Another database, or another password to it: its schema is not the one that was reported.
  const isOther = server !== undefined && server.database !== databaseFingerprint(context);
  const existing = known.get(idOf(job.object));
  const isOurs = existing !== undefined && existing.immutableHash === immutableHashOf(job.object);
  const state =
    isOurs && observed.migrationJob?.name === existing.name ? observed.migrationJob.state : 'none';
  // Whatever the Job says: it commits all at once, last, and its node may die before it tells of its end.
  if (!isBehind && !isOther) return 'current';
  if (state === 'none') return 'waiting';
  return state === 'complete' ? 'migrated' : state;
}

/** What a pod of ours names, or is bound by, at its start. */
const GROUND = new Set(['ServiceAccount', 'ConfigMap', 'NetworkPolicy']);

/** The Job's pod has to find its account and today's config, so it comes after them, and before all else. */
function withMigration(steps: readonly Step[], migrating: readonly Step[]): readonly Step[] {
  const isGround = (step: Step): boolean => step.do !== 'create' && GROUND.has(step.object.kind);
  const ground = steps.filter(isGround);
  return [...ground, ...migrating, ...steps.filter((step) => !isGround(step))];
}

type JobVerdict = { readonly object: KubernetesObject } | { readonly held: Held };

function jobVerdict(context: BuildContext, observed: Observed, job: Child): JobVerdict {
  const { object } = job;
  const missing = absent(context, job.needs);
  const held = { id: idOf(object), object, missing };
  if (missing.length > 0) return { held: { ...held, waitsFor: 'sources' } };
  if (context.spec.database.embedded && !observed.isDatabaseReady)
    return { held: { ...held, waitsFor: 'database' } };
  return { object };
}

type Verdict = { readonly apply: KubernetesObject } | { readonly held: Held };

function verdictOf(
  child: Child,
  { context, known, schema }: { context: BuildContext; known: Known; schema: SchemaGate },
): Verdict {
  const { object, needsSchema, needs } = child;
  const id = idOf(object);
  const missing = absent(context, needs);
  const isOpen = !needsSchema || schema === 'current' || schema === 'migrated';
  if (isOpen && missing.length === 0) return { apply: object };
  // A new CronJob is made at once but rests: the start that it misses is made up for as soon as it may run.
  if (object.kind === 'CronJob' && !known.has(id)) return { apply: suspended(object) };
  return { held: { id, object, waitsFor: isOpen ? 'sources' : 'schema', missing } };
}

function suspended(object: KubernetesObject): KubernetesObject {
  const spec: object =
    'spec' in object && typeof object.spec === 'object' && object.spec !== null ? object.spec : {};
  return Object.assign({ ...object }, { spec: { ...spec, suspend: true } });
}

const absent = (context: BuildContext, needs: readonly Source[]): readonly Source[] =>
  needs.filter((source) => !context.versions.has(sourceKey(source)));

function missingSources(context: BuildContext, wanted: readonly Child[]): readonly Source[] {
  const given = context.spec.tls?.secretName === undefined ? [] : [certificateSecret(context)];
  const all = [
    ...wanted.flatMap(({ needs }) => needs),
    ...given.map((name) => ({ kind: 'Secret' as const, name })),
  ];
  const ours = new Set(generatedSecrets(context).map(({ name }) => `Secret/${name}`));
  const distinct = new Map(all.map((source) => [sourceKey(source), source]));
  return absent(context, [...distinct.values()]).filter((source) => !ours.has(sourceKey(source)));
}

function stepOf(object: KubernetesObject, known: Known): Step {
  const id = idOf(object);
  const existing = known.get(id);
  const hash = immutableHashOf(object);
  const was = existing?.immutableHash;
  // Somebody took the annotation away: an apply puts it back.
  const isReplaced = existing !== undefined && was !== undefined && hash !== undefined && was !== hash;
  return isReplaced ? { do: 'replace', id, object, uid: existing.uid } : { do: 'apply', id, object };
}

const immutableHashOf = ({ metadata }: KubernetesObject): string | undefined =>
  metadata.annotations?.[IMMUTABLE_ANNOTATION];

function childOptions(
  context: BuildContext,
  observed: Observed,
  known: Known,
): Parameters<typeof children>[1] {
  const { autoscaling, replicas } = context.spec.server;
  const isNew = !known.has(`apps/v1/Deployment/${childName(context.name, 'server')}`);
  // An autoscaler takes its time to see a new Deployment: it begins with the fewest copies, not with one.
  const first = isNew ? autoscaling?.min : undefined;
  return {
    replicas: autoscaling ? first : replicas,
    suspendPoll: observed.suspendWorkers,
    suspendTrustlines: observed.suspendWorkers,
  };
}

/** Leaving a field out that only we own deletes it, and a Deployment without replicas has one. */
function handOver(context: BuildContext, { ownedReplicas }: Observed): readonly Step[] {
  if (!context.spec.server.autoscaling || ownedReplicas === undefined) return [];
  const object: ReplicasOnly = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: childName(context.name, 'server'), namespace: context.namespace },
    spec: { replicas: ownedReplicas },
  };
  return [
    {
      do: 'handOver',
      id: `apps/v1/Deployment/${object.metadata.name}`,
      object,
      fieldManager: HANDOVER_MANAGER,
    },
  ];
}
