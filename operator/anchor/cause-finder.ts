import type { Clock } from '../../core/runtime/clock.ts';
import { withDeadline } from '../../core/runtime/deadline.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { KubeClient } from '../kube/client.ts';
import { isForbidden, isNotFound } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { ANCHOR_LABEL, COMPONENT_LABEL, type Apis } from '../resources/context.ts';
import type { Owner } from './anchor-object.ts';
import type { Rollout } from './child-object.ts';
import { causeOfRequests, NO_CAUSES, type Causes, type CertificateRequestObject } from './causes.ts';
import type { Family } from './observe.ts';
import { causesOfPods, type PodObject } from './pod-causes.ts';

interface Subject {
  readonly owner: Owner;
  readonly family: Family;
  readonly signal: AbortSignal;
}

/** What is known of why parts of an Anchor do not come up. */
export interface Found {
  readonly causes: Causes;
  /** When it is worth to ask again; undefined while all is well. */
  readonly againMs?: number;
}

/**
 * Looks at pods and requests for certificates, which no cache holds: there are many of them, and they are of interest only while a
 * part is not well.
 */
export interface CauseFinder {
  find(of: Subject, apis: Apis): Promise<Found>;
  /** What was found last. */
  latest(uid: string): Causes;
  forget(uid: string): void;
}

class NoCauseFound extends CapstanError {
  constructor() {
    super('causes_late', `the API server did not tell of pods within ${TIMEOUT_MS} ms`);
  }
}

interface Search {
  causes: Causes;
  /** What was not well when it was asked last. */
  unwell: ReadonlySet<string>;
  /** Monotonic. */
  askedMs: number;
  times: number;
}

const NO_SEARCH: Search = { causes: NO_CAUSES, unwell: new Set(), askedMs: -Infinity, times: 0 };
/** Reconciles come in bursts while something rolls out. */
const GAP_MS = 2_000;
const MOST_PAUSE_MS = 30_000;
const TIMEOUT_MS = 5_000;

export function createCauseFinder(options: {
  readonly client: KubeClient;
  /** Monotonic. */
  readonly clock: Clock;
  /** The time of day. */
  readonly calendar: Clock;
  readonly log: Log;
}): CauseFinder {
  const { client, clock, calendar, log } = options;
  const searches = new Map<string, Search>();

  const listOf = async <T extends KubeObject>(
    of: { readonly apiVersion: string; readonly kind: string },
    { name, namespace }: Owner,
    signal: AbortSignal,
  ): Promise<readonly T[]> => {
    const selection = { namespace, labelSelector: `${ANCHOR_LABEL}=${name}` };
    return (await client.list<T>(client.kindOf(of), selection, { signal })).items;
  };
  /** An operator that was upgraded before its rights may not ask; that hides nothing else. */
  const requestsOf = async (
    owner: Owner,
    signal: AbortSignal,
  ): Promise<readonly CertificateRequestObject[]> => {
    try {
      return await listOf<CertificateRequestObject>(REQUEST, owner, signal);
    } catch (error) {
      if (isNotFound(error) || isForbidden(error)) return [];
      throw error;
    }
  };
  const ask = async (owner: Owner, unwell: Unwell, signal: AbortSignal): Promise<Causes> => {
    const pods = unwell.hasPods ? await listOf<PodObject>(POD, owner, signal) : [];
    const causes = new Map(causesOfPods(pods, unwell.templates, calendar.now()));
    const { certificate } = unwell;
    if (certificate !== undefined) {
      const cause = causeOfRequests(await requestsOf(owner, signal), certificate);
      if (cause) causes.set('certificate', cause);
    }
    return causes;
  };
  return {
    async find({ owner, family, signal }, apis) {
      const unwell = unwellOf(family, apis);
      if (unwell.parts.size === 0) {
        searches.delete(owner.uid);
        return { causes: NO_CAUSES };
      }
      const search = searches.get(owner.uid) ?? { ...NO_SEARCH };
      searches.set(owner.uid, search);
      // A part that just fell ill is told of with its cause: the Event of it is written once. One that just began with a new
      // template is told of without the cause of the one before.
      const isNews = [...unwell.parts].some((part) => !search.unwell.has(part));
      search.unwell = unwell.parts;
      if (isNews || clock.now() - search.askedMs >= GAP_MS) {
        Object.assign(search, { askedMs: clock.now(), times: isNews ? 1 : search.times + 1 });
        const late = (): Error => new NoCauseFound();
        const limits = { clock, timeoutMs: TIMEOUT_MS, late };
        try {
          search.causes = await withDeadline(limits, (ended) =>
            ask(owner, unwell, AbortSignal.any([signal, ended])),
          );
        } catch (error) {
          signal.throwIfAborted();
          log.warn({ err: error, anchor: owner.name }, 'why a part does not come up cannot be asked for');
        }
      }
      const againMs = Math.min(MOST_PAUSE_MS, GAP_MS * 2 ** Math.min(search.times - 1, 10));
      return { causes: search.causes, againMs };
    },
    latest: (uid) => searches.get(uid)?.causes ?? NO_CAUSES,
    forget: (uid) => void searches.delete(uid),
  };
}

const POD = { apiVersion: 'v1', kind: 'Pod' };
const REQUEST = { apiVersion: 'cert-manager.io/v1', kind: 'CertificateRequest' };

/** As a hash of a template: that of no pod. */
const NO_TEMPLATE = '';

interface Unwell {
  /** What is not well, and how. */
  readonly parts: ReadonlySet<string>;
  readonly hasPods: boolean;
  /** By component, the template whose pods count; `NO_TEMPLATE`: it has none yet, and those that are there are of the one before. */
  readonly templates: ReadonlyMap<string, string>;
  /** Uid of a Certificate that is not issued. */
  readonly certificate?: string;
}

/** How a rollout is not well; undefined: it is. */
function shortOf({ hasBegun, isComplete, ready, wanted }: Rollout): string | undefined {
  if (!isComplete) return hasBegun ? 'rolling out' : 'unbegun';
  return ready < wanted ? 'short' : undefined;
}

function unwellOf(family: Family, apis: Apis): Unwell {
  const ofPods = family.all.flatMap(({ kind, metadata, rollout, job }) => {
    const how = rollout ? shortOf(rollout) : job;
    if (how === undefined || how === 'complete') return [];
    const component = metadata.labels?.[COMPONENT_LABEL] ?? '';
    const template = how === 'unbegun' ? NO_TEMPLATE : rollout?.template;
    return [{ part: `${kind}/${metadata.name}/${how}`, component, template }];
  });
  const templates = ofPods.flatMap(({ component, template }) =>
    template === undefined ? [] : [[component, template] as const],
  );
  const certificate = apis.certManager ? family.of('Certificate', 'server') : undefined;
  const isPending = certificate !== undefined && certificate.certificate?.state === 'pending';
  return {
    parts: new Set([...ofPods.map(({ part }) => part), ...(isPending ? ['Certificate'] : [])]),
    hasPods: ofPods.some(({ template }) => template !== NO_TEMPLATE),
    templates: new Map(templates),
    ...(isPending && { certificate: certificate.metadata.uid ?? '' }),
  };
}
