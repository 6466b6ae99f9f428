import { CapstanError } from '../../core/runtime/errors.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { ANCHOR, isSet, PAUSED, type AnchorObject } from '../../operator/anchor/anchor-object.ts';
import { childName } from '../../operator/resources/names.ts';
import { at, listAt, textAt, type Loaded } from './gather.ts';
import { atPlace, findAnchor, HURRIED, PLUGIN_MANAGER, type Place, type PlaceOptions } from './place.ts';
import { isSuspendedBySpec } from './status.ts';

export interface ChangeOptions extends PlaceOptions {
  readonly write: (text: string) => void;
  readonly clock: Clock;
}

/** What kubectl rollout restart writes, so that both mean the same. */
const RESTARTED = 'kubectl.kubernetes.io/restartedAt';
const TOLD_WITHIN_MS = 30_000;
const LOOK_MS = 500;

export class AnchorPaused extends CapstanError {
  constructor(name: string) {
    super(
      'anchor_paused',
      `${name} is paused, so the operator would not pass this on. Nothing was changed: say "kubectl anchor resume ${name}" first.`,
    );
  }
}

export class NothingToResume extends CapstanError {
  constructor(name: string, isSuspended: boolean) {
    const hint = isSuspended
      ? ` Its payments are suspended: "kubectl anchor resume ${name} --payments" lets money flow again.`
      : '';
    super('nothing_to_resume', `${name} is not paused.${hint}`);
  }
}

export class PaymentsNotSuspended extends CapstanError {
  constructor(name: string) {
    super(
      'payments_not_suspended',
      `The spec of ${name} does not suspend payments. What support staff or a limit stopped is undone by "capstan resume"; "kubectl anchor status ${name}" says who it was.`,
    );
  }
}

export class NothingRuns extends CapstanError {
  constructor(name: string) {
    super('nothing_runs', `${name} has no Deployment to restart yet: see "kubectl anchor status ${name}".`);
  }
}

/** `kubectl anchor pause`: the operator changes nothing of it any more. Money goes on. */
export async function runPause(name: string, options: ChangeOptions): Promise<number> {
  return atPlace(options, async (place) => {
    const anchor = await findAnchor(place, name);
    if (isSet(anchor, PAUSED)) {
      options.write(`${name} was paused already.\n`);
      return 0;
    }
    await annotate(place, anchor, 'true');
    options.write(
      `${name} is paused: the operator changes nothing of it. It goes on serving, and paying: "kubectl anchor suspend" stops money.\nUndo: kubectl anchor resume ${name}\n`,
    );
    return 0;
  });
}

/**
 * `kubectl anchor resume`: undoes `pause`. With `payments` it undoes `suspend`, and nothing else: whoever means the
 * operator must not set money free.
 */
export async function runResume(
  name: string,
  options: ChangeOptions & { readonly payments: boolean },
): Promise<number> {
  return atPlace(options, async (place) => {
    const anchor = await findAnchor(place, name);
    if (options.payments) return resumePayments(place, anchor, options);
    const isSuspended = isSuspendedBySpec(anchor);
    if (!isSet(anchor, PAUSED)) throw new NothingToResume(name, isSuspended);
    await annotate(place, anchor, null);
    const left = isSuspended
      ? ` Its payments stay suspended: "kubectl anchor resume ${name} --payments" is another thing.`
      : '';
    options.write(`${name} is resumed: the operator keeps it as its spec says.${left}\n`);
    return 0;
  });
}

/** `kubectl anchor suspend`: no new payment is sent; those on their way settle. Waits until the status says so. */
export async function runSuspendPayments(name: string, options: ChangeOptions): Promise<number> {
  return atPlace(options, async (place) => {
    const anchor = await findAnchor(place, name);
    if (isSet(anchor, PAUSED)) throw new AnchorPaused(name);
    const generation = await setSuspended(place, anchor, true);
    const isTold = await waitForPayments(place, anchor, generation, options.clock, (reason) =>
      reason.startsWith('SuspendedBy'),
    );
    options.write(
      isTold
        ? `Payments of ${name} are suspended: no new one is sent, those on their way settle.\nUndo: kubectl anchor resume ${name} --payments\n`
        : `The spec of ${name} suspends payments, but nobody has confirmed it: look at "kubectl anchor status ${name}".\n`,
    );
    return isTold ? 0 : 1;
  });
}

async function resumePayments(place: Place, anchor: AnchorObject, options: ChangeOptions): Promise<number> {
  const { name } = anchor.metadata;
  if (isSet(anchor, PAUSED)) throw new AnchorPaused(name);
  if (!isSuspendedBySpec(anchor)) throw new PaymentsNotSuspended(name);
  const generation = await setSuspended(place, anchor, false);
  const isTold = await waitForPayments(
    place,
    anchor,
    generation,
    options.clock,
    (reason) => reason !== 'SuspendedBySpec' && reason !== 'Resuming',
  );
  options.write(
    isTold
      ? `Payments of ${name} are no longer suspended by its spec.\n`
      : `The spec of ${name} lets payments go on, but nobody has confirmed it: look at "kubectl anchor status ${name}".\n`,
  );
  return isTold ? 0 : 1;
}

/** `kubectl anchor restart`: new pods, one after the other, from the same spec. */
export async function runRestart(
  name: string,
  options: ChangeOptions & { readonly part: 'server' | 'watcher' | 'integration' | 'all' },
): Promise<number> {
  const { part, clock, write } = options;
  return atPlace(options, async (place) => {
    await findAnchor(place, name);
    const { client, namespace } = place;
    const kind = client.kindOf({ apiVersion: 'apps/v1', kind: 'Deployment' });
    const roles = part === 'all' ? (['server', 'watcher'] as const) : [part];
    const annotations = { [RESTARTED]: `${new Date(clock.now()).toISOString().slice(0, 19)}Z` };
    const patch = { spec: { template: { metadata: { annotations } } } };
    const rolled: string[] = [];
    for (const role of roles) {
      const ref = { name: childName(name, role), namespace };
      if (!(await client.get(kind, ref, { metadataOnly: true, retry: HURRIED }))) continue;
      await client.mergePatch(kind, ref, patch, { retry: HURRIED });
      rolled.push(ref.name);
    }
    if (rolled.length === 0) throw new NothingRuns(name);
    const look = rolled.map((one) => `  kubectl -n ${namespace} rollout status deployment/${one}\n`);
    write(`${rolled.join(' and ')} restart, pod by pod. Follow it:\n${look.join('')}`);
    return 0;
  });
}

async function annotate({ client }: Place, { metadata }: AnchorObject, value: 'true' | null): Promise<void> {
  const patch = { metadata: { uid: metadata.uid, annotations: { [PAUSED]: value } } };
  await client.mergePatch(ANCHOR, metadata, patch, { retry: HURRIED });
}

/**
 * Sets the field under the plugin's own name, so that a later `kubectl apply --server-side` of a manifest that says
 * otherwise is a conflict and no accident.
 * @returns the generation that has it
 */
async function setSuspended({ client }: Place, anchor: AnchorObject, isSuspended: boolean): Promise<number> {
  const { name, namespace, uid } = anchor.metadata;
  const { apiVersion, kind } = ANCHOR;
  const metadata = { name, ...(namespace !== undefined && { namespace }), uid };
  const intent = { apiVersion, kind, metadata, spec: { payments: { suspended: isSuspended } } };
  const options = { fieldManager: PLUGIN_MANAGER, retry: HURRIED };
  const applied = await client.apply<AnchorObject>(intent, options);
  // Money flows again: from now on the field is nobody's, or whoever's manifest names it.
  if (!isSuspended) await client.apply({ apiVersion, kind, metadata }, options);
  return applied.metadata.generation ?? 0;
}

/** Waits until the condition is of this generation and has such a reason. */
async function waitForPayments(
  { client }: Place,
  { metadata }: AnchorObject,
  generation: number,
  clock: Clock,
  isThere: (reason: string) => boolean,
): Promise<boolean> {
  for (
    const endMs = clock.monotonic() + TOLD_WITHIN_MS;
    clock.monotonic() < endMs;
    await clock.sleep(LOOK_MS)
  ) {
    const now = await client.get<Loaded>(ANCHOR, metadata, { retry: HURRIED });
    const found = listAt(now, 'status', 'conditions').find((one) => textAt(one, 'type') === 'PaymentsActive');
    const seen = at(found, 'observedGeneration');
    if (typeof seen === 'number' && seen >= generation && isThere(textAt(found, 'reason'))) return true;
  }
  return false;
}
