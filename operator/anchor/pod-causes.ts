import type { KubeObject } from '../kube/objects.ts';
import { COMPONENT_LABEL } from '../resources/context.ts';
import { clean, type Cause, type Causes } from './causes.ts';

interface Ended {
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly finishedAt?: string;
}
interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: object;
  readonly terminated?: Ended;
}
interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}
interface Container {
  readonly name: string;
  readonly image?: string;
  readonly resources?: { readonly limits?: { readonly memory?: string } };
}

/** A pod as far as it says how it does. */
export interface PodObject extends KubeObject {
  readonly spec?: { readonly containers?: readonly Container[] };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

const IMAGE = /^(ErrImage|ImagePull|InvalidImage|ImageInspect|RegistryUnavailable)/;
/** What containerd was about, step by step, before what went wrong. */
const STEPS = /^(?:(?:failed to|unexpected status|Head|Get)\b[^:"]*(?:"[^"]*")?: )+/;
const CONTAINER = /^(CreateContainer|RunContainer)/;
/** A container that ended longer ago has got over it. A kubelet waits five minutes at most before it starts one again. */
const RECENT_MS = 600_000;

/**
 * Why parts of an anchor are not ready, from their pods: for each part what lasts before what may pass, the newest pod before
 * the others.
 * @param templates by component, the `pod-template-hash` that counts: a pod of the template before says nothing of what is wanted
 *   now. Of other components every pod counts.
 * @param nowMs the time of day
 */
export function causesOfPods(
  pods: readonly PodObject[],
  templates: ReadonlyMap<string, string>,
  nowMs: number,
): Causes {
  const causes = new Map<string, Cause>();
  const newestFirst = pods.toSorted(
    (one, other) =>
      (other.metadata.creationTimestamp ?? '').localeCompare(one.metadata.creationTimestamp ?? '') ||
      one.metadata.name.localeCompare(other.metadata.name),
  );
  for (const pod of newestFirst) {
    const { labels } = pod.metadata;
    const part = labels?.[COMPONENT_LABEL] ?? '';
    const template = templates.get(part);
    if (template !== undefined && labels?.['pod-template-hash'] !== template) continue;
    const cause = causeOf(pod, part !== 'integration', nowMs);
    const known = causes.get(part);
    if (cause && (!known || (cause.isLasting && !known.isLasting))) causes.set(part, cause);
  }
  return causes;
}

/** A pod that is not ready, and the container that keeps it so. */
interface Patient {
  readonly pod: PodObject;
  readonly container: Container | undefined;
  readonly state: ContainerStatus | undefined;
  /** Why its container waits, as the kubelet has it. */
  readonly reason: string;
  readonly message: string;
  readonly isOurs: boolean;
  readonly nowMs: number;
}
type Say = Cause | undefined;

/** Tried in this order; the first that has something to say says it. */
const CHAIN: readonly ((patient: Patient) => Say)[] = [
  evicted,
  withoutNode,
  withoutImage,
  notStarted,
  ended,
  notReady,
];

function causeOf(pod: PodObject, isOurs: boolean, nowMs: number): Say {
  if (isWell(pod)) return undefined;
  const patient = { ...failing(pod), pod, isOurs, nowMs };
  for (const link of CHAIN) {
    const cause = link(patient);
    if (cause) return { ...cause, text: `pod ${pod.metadata.name} ${cause.text}` };
  }
  return undefined;
}

function failing({ spec, status }: PodObject): Pick<Patient, 'container' | 'state' | 'reason' | 'message'> {
  const state = status?.containerStatuses?.find(({ ready }) => !ready);
  const container = spec?.containers?.find(({ name }) => name === state?.name);
  const { reason = '', message = '' } = state?.state?.waiting ?? {};
  return { container, state, reason, message };
}

/** Ready, done, or on its way out. */
function isWell({ metadata, status }: PodObject): boolean {
  const isReady = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
  return isReady === true || status?.phase === 'Succeeded' || metadata.deletionTimestamp !== undefined;
}

const lasting = (text: string): Cause => ({ text, isLasting: true });
const passing = (text: string): Cause => ({ text, isLasting: false });

/** What somebody says about it, where anybody does. */
function behind(message: string | undefined): string {
  const said = clean(message);
  return said === '' ? '' : `: ${said}`;
}

function evicted({ pod: { status } }: Patient): Say {
  return status?.reason === 'Evicted' ? passing(`was evicted${behind(status.message)}`) : undefined;
}

function withoutNode({ pod: { status } }: Patient): Say {
  const unscheduled = status?.conditions?.find(
    (one) => one.type === 'PodScheduled' && one.status === 'False',
  );
  return unscheduled && passing(`finds no node${behind(unscheduled.message)}`);
}

function withoutImage({ reason, message, container }: Patient): Say {
  if (!IMAGE.test(reason)) return undefined;
  const why = clean(message.replace(/^Back-off pulling image "[^"]*": \w+: /, '').replace(STEPS, ''));
  return lasting(`cannot get its image ${container?.image ?? ''} (${why || reason})`);
}

function notStarted({ reason, message }: Patient): Say {
  return CONTAINER.test(reason) ? lasting(`cannot be started: ${clean(message) || reason}`) : undefined;
}

function ended({ reason, state, container, isOurs, nowMs }: Patient): Say {
  if (!state) return undefined;
  const end = state.state?.terminated ?? state.lastState?.terminated;
  const isBackingOff = reason === 'CrashLoopBackOff';
  if (!end) return isBackingOff ? lasting('ends again and again') : undefined;
  const isRecent = nowMs - Date.parse(end.finishedAt ?? '') < RECENT_MS;
  if (!isBackingOff && !isRecent) return undefined;
  const text = endText(end, container, isOurs);
  return isBackingOff || state.restartCount > 1 ? lasting(text) : passing(text);
}

function notReady({ state }: Patient): Say {
  return state?.state?.running ? passing('runs, but is not ready') : undefined;
}

/** What somebody else's container wrote last is not shown: it may be about a customer. */
function endText(
  { exitCode = 0, reason, message = '' }: Ended,
  container: Container | undefined,
  isOurs: boolean,
): string {
  if (reason === 'OOMKilled') {
    const limit = container?.resources?.limits?.memory;
    return `was killed because it used more memory than ${limit === undefined ? 'there is' : `its limit of ${limit}`} (OOMKilled)`;
  }
  const words = isOurs ? lastWords(message) : '';
  return words === '' ? `ended with exit code ${exitCode}` : `ended with: ${words}`;
}

/** The last line of a log, of one in JSON the message: its first sentence, without its code. The next one says what to do. */
function lastWords(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? '';
  const said = line.startsWith('{') ? /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] : line;
  return clean(said?.replace(/^error \(\w+\): /, '').replace(/\. [A-Z].*$/, ''));
}
