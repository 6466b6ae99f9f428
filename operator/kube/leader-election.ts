import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Clock } from '../../core/runtime/clock.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { KubeClient } from './client.ts';
import { isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { freeAt, held, holderOf, released, see } from './lease.ts';
import type { Lease, Sighting } from './lease.ts';
import type { ObjectRef } from './objects.ts';
import { Reflector } from './reflector.ts';

export interface ElectionOptions {
  /** On a transport of its own, so that a storm of other calls does not hold up a renewal. */
  readonly client: KubeClient;
  readonly lease: ObjectRef & { readonly namespace: string };
  /** Of this process and no other: the pod's name and something random. */
  readonly identity: string;
  /** Monotonic. */
  readonly clock: Clock;
  /** For the times that are written. */
  readonly calendar: Clock;
  readonly random?: () => number;
  readonly log: Log;
  /** Told 1 while this process leads, else 0. */
  readonly onStatus?: (leads: 0 | 1) => void;
  readonly times?: Partial<ElectionTimes>;
}

export interface ElectionTimes {
  /** Others wait so long after the last sign of life. Default 15 s. */
  readonly leaseMs: number;
  /** A leader that could not renew for so long stops. Default 10 s; must be below leaseMs. */
  readonly renewDeadlineMs: number;
  /** Between renewals, and between attempts. Default 2 s. */
  readonly retryMs: number;
}

/** How an election ended: asked to stop, or not the leader any more: the process must exit. */
export type ElectionEnd = 'stopped' | 'lost';

export interface Election {
  /** Resolves when this process leads; never, if it never does. */
  readonly elected: Promise<void>;
  readonly isLeader: boolean;
  /** Stands for election, then renews. Resolves when it is over. Never rejects. */
  run(): Promise<ElectionEnd>;
  /** After all work has ended: gives the lease back, if we hold it, so that another leads at once. */
  stop(): Promise<void>;
}

const TIMES: ElectionTimes = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;
const REQUEST_TIMEOUT_MS = 5_000;
const RELEASE_TIMEOUT_MS = 1_500;

/** Registers client-go's `leader_election_master_status`. */
export function createElectionMetric(registry: Registry, name: string): (leads: 0 | 1) => void {
  const gauge = new Gauge({
    name: 'leader_election_master_status',
    help: '1 while this process leads.',
    labelNames: ['name'],
    registers: [registry],
  });
  gauge.set({ name }, 0);
  return (leads) => gauge.set({ name }, leads);
}

class LeaseElection implements Election {
  readonly elected: Promise<void>;
  private readonly options: ElectionOptions;
  private readonly times: ElectionTimes;
  private readonly markElected: () => void;
  private readonly stopping = new AbortController();
  private sighting: Sighting | undefined;
  private leads = false;
  private ended: Promise<ElectionEnd> | undefined;
  private wake = new AbortController();

  constructor(options: ElectionOptions) {
    this.options = options;
    this.times = { ...TIMES, ...options.times };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.elected = promise;
    this.markElected = resolve;
  }

  get isLeader(): boolean {
    return this.leads;
  }

  run(): Promise<ElectionEnd> {
    this.ended ??= this.stand();
    return this.ended;
  }

  async stop(): Promise<void> {
    const led = this.leads;
    this.stopping.abort();
    await this.ended;
    if (led && this.sighting !== undefined) await this.release(this.sighting.lease);
  }

  private async stand(): Promise<ElectionEnd> {
    const { log, identity, onStatus } = this.options;
    if (!(await this.acquire())) return 'stopped';
    this.leads = true;
    onStatus?.(1);
    log.info({ identity }, 'this process leads');
    this.markElected();
    const end = await this.keep();
    this.leads = false;
    onStatus?.(0);
    if (end === 'lost') log.error({ identity }, 'the lead is lost: this process has to end');
    return end;
  }

  /** @returns whether the lease is ours; false: asked to stop */
  private async acquire(): Promise<boolean> {
    const { clock } = this.options;
    const watching = new AbortController();
    const watch = this.watchLease(AbortSignal.any([watching.signal, this.stopping.signal]));
    try {
      while (!this.stopping.signal.aborted) {
        const { wake } = this;
        const waitMs =
          this.sighting === undefined ? 0 : freeAt(this.sighting, this.times.leaseMs) - clock.now();
        if (waitMs > 0) await clock.sleep(waitMs, AbortSignal.any([wake.signal, this.stopping.signal]));
        else if (await this.tryToTake()) return true;
        else await clock.sleep(this.pauseMs(), this.stopping.signal);
      }
      return false;
    } finally {
      watching.abort();
      await watch;
    }
  }

  /** Sees every change of the lease at once; costs nothing while there is none. */
  private watchLease(signal: AbortSignal): Promise<void> {
    const { client, lease, clock, log, random } = this.options;
    const reflector = new Reflector<Lease>({
      client,
      kind: client.kindOf(LEASE),
      selection: { namespace: lease.namespace, fieldSelector: `metadata.name=${lease.name}` },
      onChange: ({ type, object }) => {
        if (type === 'deleted') this.sighting = undefined;
        else this.saw(object);
        this.wake.abort();
        this.wake = new AbortController();
      },
      clock,
      log,
      ...(random === undefined ? {} : { random }),
      times: { auditMs: 3_600_000 },
    });
    return reflector.run(signal);
  }

  private saw(lease: Lease): void {
    this.sighting = see(lease, this.sighting, this.options.clock.now());
  }

  private pauseMs(): number {
    return this.times.retryMs * (1 + 0.2 * (this.options.random ?? Math.random)());
  }

  /** Looks once more, and takes the lease if nobody holds it. Never rejects. */
  private async tryToTake(): Promise<boolean> {
    const { client, lease: ref, clock, log } = this.options;
    const call = this.callFor(REQUEST_TIMEOUT_MS);
    try {
      const found = await client.get<Lease>(client.kindOf(LEASE), ref, call);
      if (found === undefined) {
        this.saw(await client.create<Lease>(this.ours(undefined), call));
        return true;
      }
      this.saw(found);
      const isFree = this.sighting === undefined || freeAt(this.sighting, this.times.leaseMs) <= clock.now();
      if (!isFree) return false;
      this.saw(await client.replace<Lease>(this.ours(found), call));
      return true;
    } catch (error) {
      const isRace = isConflict(error) || isAlreadyExists(error) || isNotFound(error);
      if (!isRace && !this.stopping.signal.aborted) {
        log.warn({ reason: messageOf(error) }, 'the lease could not be taken; again');
      }
      return false;
    }
  }

  /** Renews until asked to stop, or until the lease may be another's. */
  private async keep(): Promise<ElectionEnd> {
    const { clock, log } = this.options;
    const { renewDeadlineMs, retryMs } = this.times;
    let validUntil = clock.now() + renewDeadlineMs;
    while (true) {
      await clock.sleep(Math.max(0, Math.min(retryMs, validUntil - clock.now())), this.stopping.signal);
      if (this.stopping.signal.aborted) return 'stopped';
      const askedAt = clock.now();
      if (askedAt >= validUntil) return 'lost';
      try {
        if (!(await this.renew(Math.min(REQUEST_TIMEOUT_MS, validUntil - askedAt)))) return 'lost';
        // From when we asked, not from when we were answered: others count from what the server did in between.
        validUntil = askedAt + renewDeadlineMs;
      } catch (error) {
        if (this.stopping.signal.aborted) return 'stopped';
        log.warn(
          { reason: messageOf(error), left_ms: Math.round(validUntil - clock.now()) },
          'the lease was not renewed',
        );
      }
    }
  }

  /** @returns false when another holds it */
  private async renew(timeoutMs: number): Promise<boolean> {
    const { client, lease: ref, identity } = this.options;
    const call = this.callFor(timeoutMs);
    try {
      this.saw(await client.replace<Lease>(this.ours(this.sighting?.lease), call));
      return true;
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
      const found = await client.get<Lease>(client.kindOf(LEASE), ref, call);
      if (found === undefined || holderOf(found) !== identity) return false;
      // Somebody edited it, or our own renewal arrived and its answer did not: the next one goes on from here.
      this.saw(found);
      throw error;
    }
  }

  private async release(lease: Lease): Promise<void> {
    const { client, lease: ref, calendar, log } = this.options;
    const retry = { tries: 1, tryTimeoutMs: RELEASE_TIMEOUT_MS, timeoutMs: RELEASE_TIMEOUT_MS };
    try {
      await client.replace(released(ref, lease, calendar.now()), { retry });
      log.info('the lease is given back');
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the lease was not given back; it ends by itself');
    }
  }

  private ours(before: Lease | undefined): Lease {
    const { lease: ref, identity, calendar } = this.options;
    return held({ ref, identity, leaseMs: this.times.leaseMs, nowMs: calendar.now(), before });
  }

  private callFor(timeoutMs: number) {
    return { signal: this.stopping.signal, retry: { tries: 1, tryTimeoutMs: timeoutMs, timeoutMs } };
  }
}

/** Prepares an election; `run` starts it. Leading only saves work: nothing may break if two processes lead for a moment. */
export function createElection(options: ElectionOptions): Election {
  return new LeaseElection(options);
}
