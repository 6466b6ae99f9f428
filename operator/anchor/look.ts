import type { Clock } from '../../core/runtime/clock.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { AnchorManifest } from '../../core/spec/schema/anchor.ts';
import type { KubeClient } from '../kube/client.ts';
import { createBuildContext, type BuildContext, type Platform } from '../resources/context.ts';
import type { AnchorObject, Owner } from './anchor-object.ts';
import type { Caches } from './caches.ts';
import { askFor } from './missing.ts';
import { observe, versionsOf, type Family } from './observe.ts';
import type { Observed } from './observed.ts';
import { planAnchor, type Plan } from './plan.ts';
import { statusIn } from './report-findings.ts';
import type { StatusReader } from './status-reader.ts';
import type { StatusWriter } from './status-writer.ts';

/** One reconcile of one Anchor. */
export interface Scene {
  readonly anchor: AnchorObject;
  readonly owner: Owner;
  readonly family: Family;
  readonly signal: AbortSignal;
  /** Of one that is being deleted: what for it is still there. */
  readonly waitsFor?: string;
}

export interface Surroundings {
  readonly caches: Caches;
  readonly client: KubeClient;
  readonly reader: StatusReader;
  readonly writer: StatusWriter;
  readonly platform: Platform;
  /** CronJobs are made, but rest. */
  readonly suspendWorkers: boolean;
  /** The time of day. */
  readonly calendar: Clock;
  readonly log: Log;
}

/** What there is, and what is to be done about it. */
export async function look(
  key: string,
  scene: Scene,
  manifest: AnchorManifest,
  around: Surroundings,
): Promise<{ readonly context: BuildContext; readonly observed: Observed; readonly plan: Plan }> {
  const cached = contextOf(scene, manifest, around);
  const { reader, writer, suspendWorkers, client, log } = around;
  const reported = statusIn(reader.latest(key))?.schema.found;
  const schema = reported ?? writer.before(scene.anchor)?.versions?.schema;
  const observed = observe(cached, scene.family, { schema, suspendWorkers });
  const plan = planAnchor(cached, observed);
  const found = await askFor(plan.missing, scene, { client, log });
  if (found.size === 0) return { context: cached, observed, plan };
  const context = { ...cached, versions: new Map([...cached.versions, ...found]) };
  return { context, observed, plan: planAnchor(context, observed) };
}

function contextOf(
  { anchor, owner }: Scene,
  manifest: AnchorManifest,
  { caches, platform, calendar }: Surroundings,
): BuildContext {
  const { creationTimestamp = new Date(calendar.now()).toISOString() } = anchor.metadata;
  return createBuildContext(
    manifest,
    { uid: owner.uid, createdAt: creationTimestamp },
    { platform, apis: caches.apis(), versions: versionsOf(caches, anchor, owner) },
  );
}
