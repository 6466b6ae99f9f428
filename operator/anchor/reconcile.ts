import type { Clock } from '../../core/runtime/clock.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { AnchorManifest } from '../../core/spec/schema/anchor.ts';
import type { ReconcileContext, ReconcileResult } from '../engine/reconcile.ts';
import { isConflict } from '../kube/errors.ts';
import { selectorLabels, type BuildContext, type Platform } from '../resources/context.ts';
import { accept } from './accept.ts';
import { FINALIZER, isSet, PAUSED } from './anchor-object.ts';
import type { Caches } from './caches.ts';
import type { CauseFinder } from './cause-finder.ts';
import type { Rollout } from './child-object.ts';
import { carryOut, createSecrets, type Outcome, type Tools } from './carry-out.ts';
import { farewell, holdBack, isCascading, letGo } from './finalize.ts';
import { findingsOf, type Knowledge } from './findings.ts';
import { look, type Scene } from './look.ts';
import { familyOf, withApplied } from './observe.ts';
import type { Observed } from './observed.ts';
import { planAnchor, type Plan } from './plan.ts';
import { finding, summarize, type ConditionType, type Finding } from './reasons.ts';
import type { StatusReader } from './status-reader.ts';
import type { StatusWriter } from './status-writer.ts';
import type { SuspensionCourier } from './suspension.ts';
import { statusOf } from './status.ts';

export interface ReconcilerOptions {
  readonly caches: Caches;
  readonly tools: Tools;
  readonly reader: StatusReader;
  readonly writer: StatusWriter;
  readonly courier: SuspensionCourier;
  readonly finder: CauseFinder;
  readonly platform: Platform;
  /** Where the private status of an Anchor's server is read. */
  readonly statusUrl: (anchor: { readonly name: string; readonly namespace: string }) => string;
  /** CronJobs are made, but rest. */
  readonly suspendWorkers: boolean;
  /** The time of day. */
  readonly calendar: Clock;
  readonly log: Log;
}

/** Nothing is known to have changed; a look at what a cache may have missed. */
const RESYNC_MS = 600_000;
const FAREWELL_MS = 3_000;
const REFUSED_MS = 60_000;

type Planned = Pick<Knowledge, 'plan' | 'context' | 'causes'>;

/** Brings what belongs to one Anchor to what its spec says, and its status to what is true. */
export class AnchorReconciler {
  private readonly options: ReconcilerOptions;
  /** The uid that each key last had. */
  private readonly uids = new Map<string, string>();
  /** Since when an Anchor is seen to be deleted, by uid; monotonic. */
  private readonly dying = new Map<string, number>();

  constructor(options: ReconcilerOptions) {
    this.options = options;
  }

  async reconcile(key: string, { signal }: ReconcileContext): Promise<ReconcileResult | undefined> {
    const anchor = this.options.caches.anchors.store.get(key);
    const known = this.uids.get(key);
    if (known !== undefined && known !== anchor?.metadata.uid) this.forget(key, known);
    if (!anchor) return undefined;
    const { uid = '', name, namespace = '' } = anchor.metadata;
    this.uids.set(key, uid);
    const owner = { uid, name, namespace };
    const family = familyOf(this.options.caches, owner);
    const scene = { anchor, owner, family, signal };
    if (anchor.metadata.deletionTimestamp !== undefined) return this.sayFarewell(key, scene);
    return this.keep(key, scene);
  }

  private forget(key: string, uid: string): void {
    this.options.tools.memory.forget(uid);
    this.options.writer.forget(uid);
    this.options.courier.forget(uid);
    this.options.finder.forget(uid);
    this.options.reader.forget(key);
    this.uids.delete(key);
    this.dying.delete(uid);
  }

  private async keep(key: string, scene: Scene): Promise<ReconcileResult> {
    const { caches } = this.options;
    const accepted = accept(scene.anchor, (account) => caches.anchors.store.by('account', account));
    this.followServer(key, scene);
    if (accepted.isAccepted && accepted.manifest) return this.bringAbout(key, scene, accepted.manifest);
    const others = this.lastFindings(scene, ['Ready', 'Accepted', 'Reconciling']);
    const findings = [accepted.finding, ...others, reconciling(scene, false)];
    await this.writeStatus(key, scene, findings, accepted.manifest);
    return { requeueAfterMs: RESYNC_MS };
  }

  private async bringAbout(key: string, scene: Scene, manifest: AnchorManifest): Promise<ReconcileResult> {
    const isPaused = isSet(scene.anchor, PAUSED);
    const {
      context,
      observed,
      plan: first,
    } = await look(key, scene, manifest, {
      ...this.options,
      client: this.options.tools.client,
    });
    let plan = first;
    let outcome: Outcome = { refusals: [], applied: [] };
    let courierMs: number | undefined;
    try {
      if (!isPaused) {
        ({ plan, outcome } = await this.act(scene, plan, context, observed));
        courierMs = await this.deliver(key, scene, context);
      }
    } catch (error) {
      await this.reportFailure(key, scene, plan, context, error);
      throw error;
    }
    const after = { ...scene, family: withApplied(scene.family, scene.owner, outcome.applied) };
    const { causes, againMs } = await this.options.finder.find(after, context.apis);
    const [refused] = outcome.refusals;
    const findings = [
      refused === undefined ? finding('Accepted', 'Valid') : finding('Accepted', 'ApplyRefused', refused),
      ...this.judge(key, after, { plan, context, causes }),
      reconciling(scene, isPaused),
    ];
    await this.writeStatus(key, after, findings, manifest);
    const retryMs = refused === undefined ? outcome.retryAfterMs : REFUSED_MS;
    return { requeueAfterMs: Math.min(...[retryMs, courierMs, againMs].map((ms) => ms ?? RESYNC_MS)) };
  }

  /** Carries the plan out; with Secrets that it made, what waited for them goes out at once. */
  private async act(
    { anchor, owner, signal }: Scene,
    first: Plan,
    context: BuildContext,
    observed: Observed,
  ): Promise<{ readonly plan: Plan; readonly outcome: Outcome }> {
    const { tools } = this.options;
    const made = await createSecrets(first, owner, tools, signal);
    const versions = new Map([...context.versions, ...made]);
    const plan = made.size === 0 ? first : planAnchor({ ...context, versions }, observed);
    const startsWatcher = plan.steps.some(
      ({ id }) => id.startsWith('apps/v1/Deployment/') && id.endsWith('-watch-transactions'),
    );
    if (startsWatcher) await holdBack(tools.client, anchor, signal);
    return { plan, outcome: await carryOut(plan, owner, tools, signal) };
  }

  /** Has a suspension, or its end, reach the watcher's file now; the server is asked whether it did. */
  private async deliver(
    key: string,
    { owner, signal }: Scene,
    { anchor }: BuildContext,
  ): Promise<number | undefined> {
    const { courier, reader } = this.options;
    const againMs = await courier.deliver(owner, anchor, reader.latest(key), signal);
    if (againMs !== undefined) reader.refresh(key);
    return againMs;
  }

  /** Asks the server of the Anchor from when it has come up. */
  private followServer(key: string, { anchor, owner, family, waitsFor }: Scene): void {
    const { reader, statusUrl, writer } = this.options;
    if (waitsFor !== undefined) return reader.follow(key, statusUrl(owner), { isHasty: true });
    if (!canAnswer(family.of('Deployment', 'server')?.rollout)) return reader.forget(key);
    const isWell = writer.before(anchor)?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    reader.follow(key, statusUrl(owner), { isHasty: !isWell });
  }

  private judge(key: string, { family }: Scene, known: Planned): readonly Finding[] {
    const { reader, calendar } = this.options;
    return findingsOf({
      ...known,
      server: family.of('Deployment', 'server')?.rollout,
      watcher: family.of('Deployment', 'watcher')?.rollout,
      integration: family.of('Deployment', 'integration')?.rollout,
      isDatabaseReady: (family.of('StatefulSet', 'database')?.rollout?.ready ?? 0) > 0,
      certificate: family.of('Certificate', 'server')?.certificate,
      reading: reader.latest(key),
      nowMs: calendar.now(),
    });
  }

  /** The conditions of last time, where this time nothing can be found out. */
  private lastFindings({ anchor }: Scene, but: readonly ConditionType[]): readonly Finding[] {
    return (this.options.writer.before(anchor)?.conditions ?? []).flatMap((old) => {
      const type = old.type as ConditionType;
      const { status, reason, message } = old;
      return but.includes(type) ? [] : [{ type, status, reason, message }];
    });
  }

  private async reportFailure(
    key: string,
    scene: Scene,
    plan: Plan,
    context: BuildContext,
    error: unknown,
  ): Promise<void> {
    if (isConflict(error) || scene.signal.aborted) return;
    const findings = [
      finding('Accepted', 'Valid'),
      ...this.judge(key, scene, { plan, context, causes: this.options.finder.latest(scene.owner.uid) }),
      finding('Reconciling', 'ApiError', messageOf(error)),
    ];
    try {
      await this.writeStatus(key, scene, findings, context.manifest);
    } catch (second) {
      this.options.log.debug({ key, reason: messageOf(second) }, 'the status could not be written either');
    }
  }

  private async writeStatus(
    key: string,
    { anchor, family, signal }: Scene,
    findings: readonly Finding[],
    manifest: AnchorManifest | undefined,
  ): Promise<void> {
    const { writer, reader, platform, calendar } = this.options;
    const labels = selectorLabels({ name: anchor.metadata.name }, 'server');
    const status = statusOf({
      anchor,
      before: writer.before(anchor),
      findings: [summarize(findings), ...findings],
      manifest,
      server: family.of('Deployment', 'server')?.rollout,
      selector: Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(','),
      reading: reader.latest(key),
      operatorVersion: platform.version,
      now: `${new Date(calendar.now()).toISOString().slice(0, 19)}Z`,
    });
    await writer.write(anchor, status, signal);
  }

  private async sayFarewell(key: string, scene: Scene): Promise<ReconcileResult | undefined> {
    const { anchor, owner, family, signal } = scene;
    const { reader, tools } = this.options;
    if (anchor.metadata.finalizers?.includes(FINALIZER) !== true) {
      reader.forget(key);
      return undefined;
    }
    const sinceMs = this.dying.get(owner.uid) ?? tools.clock.now();
    if (!this.dying.has(owner.uid)) {
      this.dying.set(owner.uid, sinceMs);
      reader.refresh(key);
    }
    const server = family.of('Deployment', 'server');
    const verdict = farewell(anchor, { server, reading: reader.latest(key), sinceMs });
    if (verdict.mayGo) {
      await letGo(tools.client, anchor, signal);
      return undefined;
    }
    const waiting = { ...scene, waitsFor: verdict.why };
    if (verdict.isSure && !isCascading(anchor)) {
      // Money settles only while the anchor does what its spec says: a person may still let payments go on, or repair it.
      const { requeueAfterMs = FAREWELL_MS } = await this.keep(key, waiting);
      return { requeueAfterMs: Math.min(requeueAfterMs, FAREWELL_MS) };
    }
    this.followServer(key, waiting);
    const findings = [...this.lastFindings(scene, ['Ready', 'Reconciling']), reconciling(waiting, false)];
    await this.writeStatus(key, waiting, findings, undefined);
    return { requeueAfterMs: FAREWELL_MS };
  }
}

/** One that had come up and is no longer ready can say why; one that comes up cannot yet. */
const canAnswer = (server: Rollout | undefined): boolean =>
  server !== undefined && (server.ready > 0 || (server.isComplete && server.replicas > 0));

function reconciling({ waitsFor }: Scene, isPaused: boolean): Finding {
  if (waitsFor !== undefined) return finding('Reconciling', 'WaitingForMoney', waitsFor);
  return finding('Reconciling', isPaused ? 'Paused' : 'Active');
}
