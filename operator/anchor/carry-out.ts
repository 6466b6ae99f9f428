import { messageOf } from '../../core/runtime/errors.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { isAlreadyExists, isForbidden, isInvalid, isNotFound } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { KubernetesObject } from '../resources/kubernetes.ts';
import type { GeneratedSecret, Random } from '../resources/secrets.ts';
import { FIELD_MANAGER, isOfAnother, type Owner } from './anchor-object.ts';
import type { ApplyMemory } from './apply-memory.ts';
import { isReadWhole, toChild, type ChildObject } from './child-object.ts';
import type { ObservedChild } from './observed.ts';
import type { Plan, Step } from './plan.ts';

export interface Tools {
  readonly client: KubeClient;
  readonly memory: ApplyMemory;
  readonly child: (kind: string, ref: { namespace: string; name: string }) => ChildObject | undefined;
  /** Monotonic. */
  readonly clock: Clock;
  readonly random: Random;
}

/** What carrying a plan out came to. What is neither refused nor put off is done. */
export interface Outcome {
  /** What the API server will not take, whose fault is in the spec or in the cluster's policies. */
  readonly refusals: readonly string[];
  /** Something is to be tried again after so long. */
  readonly retryAfterMs?: number;
  /** What the API server made of what was sent: newer than the caches. */
  readonly applied: readonly ChildObject[];
}

class ChildNotGone extends CapstanError {
  constructor(id: string) {
    super('child_not_gone', `${id} was told to go so that it can be made anew, and is still there.`);
  }
}

const GONE_LOOK_MS = 200;
const GONE_LOOKS = 100;
const API_GONE_RETRY_MS = 5_000;

/**
 * Makes the Secrets of a plan that are not there yet.
 * @returns their versions, by `Secret/name`
 */
export async function createSecrets(
  plan: Plan,
  owner: Owner,
  { client, random }: Tools,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const versions = new Map<string, string>();
  for (const step of plan.steps) {
    if (step.do !== 'create') continue;
    versions.set(`Secret/${step.secret.name}`, await createOnce(step.secret));
  }
  return versions;

  async function createOnce(secret: GeneratedSecret): Promise<string> {
    const object = secret.create(random);
    const { metadata } = object;
    try {
      const made = await client.create<KubeObject>(object, { signal });
      return made.metadata.resourceVersion ?? '';
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const kind = client.kindOf(object);
    const found = await client.get<KubeObject>(kind, metadata, { metadataOnly: true, signal });
    if (found && !isOfAnother(found, owner)) return found.metadata.resourceVersion ?? '';
    // Of an Anchor of the same name that is gone: it would go with it, under the feet of this one.
    const { uid } = found?.metadata ?? {};
    if (uid !== undefined) await client.delete(kind, metadata, { uid, signal });
    const made = await client.create<KubeObject>(object, { signal });
    return made.metadata.resourceVersion ?? '';
  }
}

/** Writes what a plan says and the server does not have yet, in its order; then deletes what nobody names any more. */
export async function carryOut(
  plan: Plan,
  owner: Owner,
  tools: Tools,
  signal: AbortSignal,
): Promise<Outcome> {
  const refusals: string[] = [];
  const applied: ChildObject[] = [];
  let retryAfterMs: number | undefined;
  const later = (ms: number): void => void (retryAfterMs = Math.min(ms, retryAfterMs ?? ms));
  for (const step of plan.steps) {
    signal.throwIfAborted();
    try {
      const done = await carryOutStep(step, owner, tools, signal);
      if (typeof done === 'object') applied.push(done);
      else if (done > 0) later(done);
    } catch (error) {
      if (isInvalid(error) || isForbidden(error)) refusals.push(`${step.id}: ${messageOf(error)}`);
      // The API itself went away; its cache will say so in a moment.
      else if (isNotFound(error)) later(API_GONE_RETRY_MS);
      else throw error;
    }
  }
  for (const child of plan.prune) await prune(child, owner, tools, signal);
  return { refusals, applied, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** @returns what was applied, or ms after which the step is to be tried; 0: there is nothing to do */
async function carryOutStep(
  step: Step,
  owner: Owner,
  tools: Tools,
  signal: AbortSignal,
): Promise<ChildObject | number> {
  const { client, memory } = tools;
  if (step.do === 'create') return 0;
  if (step.do === 'handOver') {
    await client.apply(step.object, { fieldManager: step.fieldManager, signal });
    return 0;
  }
  const { object, id } = step;
  const actual = tools.child(object.kind, object.metadata);
  const doomed = step.do === 'replace' ? step.uid : foreignUid(actual, owner);
  if (doomed !== undefined) {
    memory.forgetChild(owner.uid, id, doomed);
    await removeAndWait(object, doomed, tools, signal);
  } else {
    const verdict = memory.verdict(owner.uid, object, id, actual);
    if (verdict === 'settled') return 0;
    if (verdict !== 'apply') return verdict;
  }
  const applied = await client.apply<KubeObject>(object, {
    fieldManager: FIELD_MANAGER,
    metadataOnly: !isReadWhole(object.kind),
    signal,
  });
  const child = toChild(object.kind, applied);
  memory.remember(owner.uid, object, id, child);
  return child;
}

/** Of a child that belongs to an Anchor of the same name that was deleted: it is about to be collected. */
const foreignUid = (actual: ChildObject | undefined, owner: Owner): string | undefined =>
  actual && isOfAnother(actual, owner) ? actual.metadata.uid : undefined;

async function removeAndWait(
  { metadata, ...rest }: KubernetesObject,
  uid: string,
  { client, clock }: Tools,
  signal: AbortSignal,
): Promise<void> {
  const kind = client.kindOf(rest);
  await client.delete(kind, metadata, { uid, propagation: 'Foreground', signal });
  for (let look = 0; look < GONE_LOOKS; look += 1) {
    const found = await client.get<KubeObject>(kind, metadata, { metadataOnly: true, signal });
    if (found?.metadata.uid !== uid) return;
    await clock.sleep(GONE_LOOK_MS, signal);
    signal.throwIfAborted();
  }
  throw new ChildNotGone(`${kind.kind} ${metadata.name}`);
}

async function prune(
  child: ObservedChild,
  owner: Owner,
  { client, memory }: Tools,
  signal: AbortSignal,
): Promise<void> {
  const { apiVersion, kind, name, uid } = child;
  await client.delete(
    client.kindOf({ apiVersion, kind }),
    { name, namespace: owner.namespace },
    { uid, signal },
  );
  memory.forgetChild(owner.uid, `${apiVersion}/${kind}/${name}`, uid);
}
