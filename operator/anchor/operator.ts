import type { Registry } from 'prom-client';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Log } from '../../core/runtime/log.ts';
import { KIND } from '../../core/spec/schema/anchor.ts';
import { createController, type Controller } from '../engine/controller.ts';
import { createControllerMetrics } from '../engine/metrics.ts';
import { waitForCaches } from '../engine/wait-synced.ts';
import { createApiPresence } from '../kube/api-presence.ts';
import type { Change } from '../kube/cache.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import { createEventRecorder, type EventRecorder } from '../kube/events.ts';
import { keyOf } from '../kube/objects.ts';
import type { ReflectorTimes } from '../kube/reflector.ts';
import { createWatchMetrics } from '../kube/watch-metrics.ts';
import type { Platform } from '../resources/context.ts';
import { idOf } from '../resources/kubernetes.ts';
import type { Random } from '../resources/secrets.ts';
import { statusUrl as statusUrlInCluster } from '../resources/server.ts';
import { accountsOf } from './accounts.ts';
import { ABANDON, PAUSED, type AnchorObject } from './anchor-object.ts';
import { createApplyMemory, type ApplyMemory } from './apply-memory.ts';
import { createCaches, optionalKinds, type Caches } from './caches.ts';
import { createCauseFinder } from './cause-finder.ts';
import { isSameChild, type ChildObject } from './child-object.ts';
import { registerAnchorMetrics } from './metrics.ts';
import { AnchorReconciler } from './reconcile.ts';
import { essenceOf } from './report-findings.ts';
import { createStatusReader, type StatusReader, type StatusReaderOptions } from './status-reader.ts';
import { createStatusWriter } from './status-writer.ts';
import { createSuspensionCourier } from './suspension.ts';

export interface OperatorOptions {
  readonly client: KubeClient;
  /** Absent: the whole cluster. */
  readonly namespaces?: readonly string[];
  readonly platform: Platform;
  /** Of this process: the pod's name. */
  readonly instance: string;
  readonly fetch: StatusReaderOptions['fetch'];
  /** Default: the Service of the private port. */
  readonly statusUrl?: (anchor: { readonly name: string; readonly namespace: string }) => string;
  readonly statusIntervalMs?: number;
  /** Of the watches; other than their own. */
  readonly watchTimes?: Partial<ReflectorTimes>;
  readonly suspendWorkers?: boolean;
  /** Anchors that are worked on at once. */
  readonly concurrency?: number;
  /** Monotonic. */
  readonly clock: Clock;
  /** The time of day. */
  readonly calendar: Clock;
  readonly random: Random;
  /** A number in [0, 1). */
  readonly chance: () => number;
  readonly registry: Registry;
  readonly log: Log;
}

/** The operator of one cluster, but for who leads. */
export interface Operator {
  /** Fills the caches and keeps them filled until `stop`. @throws CachesNotSynced */
  warmUp(): Promise<void>;
  /** Begins to act. */
  lead(): void;
  /** Ends reconciles: another may lead from then on. @returns whether all of them ended in time */
  stop(options: { readonly timeoutMs: number }): Promise<boolean>;
  /** Ends all else: Events that wait are written, so far as that is quick; caches and questions end. */
  close(): Promise<void>;
  /** What keeps caches from being up to date. */
  errors(): readonly string[];
}

const CONTROLLER = 'anchor';
const CONCURRENCY = 10;
/** After a start what nobody changed is looked at one by one, so that an upgrade is no storm. */
const PACE_MS = 20;
/** Events are for people and tell nothing that the status does not: a stop does not wait for a thousand of them. */
const FLUSH_MS = 2_000;
/** Children change in bursts: a roll-out tells of itself some ten times within a second. */
const GATHER_MS = 200;

type Enqueue = Controller['enqueue'];

class AnchorOperator implements Operator {
  private readonly options: OperatorOptions;
  private readonly controller: Controller;
  private readonly caches: Caches;
  private readonly memory: ApplyMemory;
  private readonly reader: StatusReader;
  private readonly events: EventRecorder;
  private readonly presence: ReturnType<typeof createApiPresence>;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>[] = [];
  private initial = 0;

  constructor(options: OperatorOptions) {
    this.options = options;
    const { client, clock, calendar, log, registry, instance, platform } = options;
    const concurrency = options.concurrency ?? CONCURRENCY;
    this.memory = createApplyMemory(clock);
    this.events = createEventRecorder({
      client,
      controller: 'capstan.dev/anchor-operator',
      instance,
      calendar,
      log,
    });
    this.presence = createApiPresence({
      client,
      kinds: optionalKinds(client),
      clock,
      log,
      watchDefinitions: options.namespaces === undefined,
    });
    this.caches = this.createCaches();
    this.reader = createStatusReader({
      fetch: options.fetch,
      clock,
      random: options.chance,
      essence: (reading) => essenceOf(reading, calendar.now()),
      onChange: (key) => this.enqueue(key, 'event'),
      ...(options.statusIntervalMs !== undefined && {
        intervalMs: options.statusIntervalMs,
        hastyMs: Math.min(options.statusIntervalMs, 3_000),
      }),
    });
    const { memory, caches, reader } = this;
    const reconciler = new AnchorReconciler({
      caches,
      tools: { client, memory, clock, random: options.random, child: (kind, ref) => caches.child(kind, ref) },
      reader,
      writer: createStatusWriter(client, this.events),
      courier: createSuspensionCourier({ client, clock }),
      finder: createCauseFinder({ client, clock, calendar, log }),
      platform,
      statusUrl: options.statusUrl ?? statusUrlInCluster,
      suspendWorkers: options.suspendWorkers ?? false,
      calendar,
      log,
    });
    this.controller = createController({
      name: CONTROLLER,
      concurrency,
      reconcile: (key, context) => reconciler.reconcile(key, context),
      isConflict,
      clock,
      log,
      metrics: createControllerMetrics(registry)(CONTROLLER, concurrency),
    });
    registerAnchorMetrics(registry, () => caches.anchors.store.all());
  }

  async warmUp(): Promise<void> {
    const { signal } = this.stopping;
    await this.presence.check(signal);
    this.running.push(this.caches.run(signal), this.presence.run(signal));
    await waitForCaches({ caches: this.caches.all, clock: this.options.clock });
  }

  lead(): void {
    this.controller.start();
  }

  async stop({ timeoutMs }: { readonly timeoutMs: number }): Promise<boolean> {
    return this.controller.stop({ timeoutMs });
  }

  async close(): Promise<void> {
    const enough = new AbortController();
    await Promise.race([this.events.flush(), this.options.clock.sleep(FLUSH_MS, enough.signal)]);
    enough.abort();
    this.stopping.abort();
    await Promise.all([this.reader.close(), ...this.running]);
  }

  errors(): readonly string[] {
    return this.caches.errors();
  }

  private readonly enqueue: Enqueue = (key, urgency, afterMs) => {
    this.controller.enqueue(key, urgency, afterMs);
  };

  private createCaches(): Caches {
    const { client, namespaces, clock, log, registry, watchTimes } = this.options;
    return createCaches({
      client,
      namespaces,
      presence: this.presence,
      clock,
      log,
      metrics: createWatchMetrics(registry),
      times: watchTimes,
      events: {
        anchor: (change) => this.anchorChanged(change),
        child: (change) => this.childChanged(change),
        source: (change) => this.sourceChanged(change),
        apis: () => {
          for (const { metadata } of this.caches.anchors.store.all()) this.enqueue(keyOf(metadata), 'event');
        },
      },
    });
  }

  private anchorChanged({ type, object, old, isInitial }: Change<AnchorObject>): void {
    const key = keyOf(object.metadata);
    const isDone = object.status?.observedGeneration === object.metadata.generation;
    if (isInitial && isDone && object.metadata.deletionTimestamp === undefined) {
      this.initial += 1;
      return this.enqueue(key, 'resync', this.initial * PACE_MS);
    }
    if (type === 'updated' && old !== undefined && isSameAnchor(object, old)) return;
    this.enqueue(key, 'edit');
    // Who shares an account with it now, or did, may be the one who is accepted.
    for (const account of new Set([...accountsOf(object), ...(old ? accountsOf(old) : [])])) {
      for (const { metadata } of this.caches.anchors.store.by('account', account))
        if (keyOf(metadata) !== key) this.enqueue(keyOf(metadata), 'event');
    }
  }

  private childChanged({ type, object, old, isInitial }: Change<ChildObject>): void {
    if (isInitial || (type === 'updated' && old !== undefined && isSameChild(object, old))) return;
    for (const one of old === undefined ? [object] : [object, old]) this.enqueueOwners(one);
    if (type === 'deleted') this.forgetChild(object);
  }

  private sourceChanged(change: Change<ChildObject>): void {
    const { object, isInitial } = change;
    this.childChanged(change);
    if (isInitial) return;
    for (const { metadata } of this.caches.anchors.store.by('source', keyOf(object.metadata)))
      this.enqueue(keyOf(metadata), 'event', GATHER_MS);
  }

  private enqueueOwners({ metadata }: ChildObject): void {
    const { namespace, ownerReferences = [] } = metadata;
    for (const { kind, name } of ownerReferences)
      if (kind === KIND) this.enqueue(keyOf({ name, namespace }), 'event', GATHER_MS);
  }

  private forgetChild(child: ChildObject): void {
    const { uid = '', ownerReferences = [] } = child.metadata;
    for (const owner of ownerReferences) this.memory.forgetChild(owner.uid, idOf(child), uid);
  }
}

/** Nothing that we act upon has changed: a status of our own is no news. */
function isSameAnchor(one: AnchorObject, other: AnchorObject): boolean {
  const essence = ({ metadata }: AnchorObject): string =>
    JSON.stringify([
      metadata.uid,
      metadata.generation,
      metadata.deletionTimestamp,
      metadata.finalizers,
      metadata.annotations?.[PAUSED],
      metadata.annotations?.[ABANDON],
    ]);
  return essence(one) === essence(other);
}

/** Puts the operator together. Nothing is asked or done before `warmUp`. */
export function createOperator(options: OperatorOptions): Operator {
  return new AnchorOperator(options);
}
