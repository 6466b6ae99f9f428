import type { Clock } from '../../core/runtime/clock.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { KubeClient } from './client.ts';
import { isForbidden } from './errors.ts';
import type { Kind } from './kinds.ts';
import type { KubeObject } from './objects.ts';
import { Reflector } from './reflector.ts';

/** Knows which optional kinds the API server serves now, and tells when one comes or goes. */
export interface ApiPresence {
  has(kind: Kind): boolean;
  /** Calls `listener` for each kind that comes or goes from now on. */
  onChange(listener: (kind: Kind, isThere: boolean) => void): void;
  /** Asks now. @throws KubeUnreachable, KubeError; what was known before then stays */
  check(signal?: AbortSignal): Promise<void>;
  /** Keeps looking until `signal` aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export interface PresenceOptions {
  readonly client: KubeClient;
  readonly kinds: readonly Kind[];
  /** Monotonic. */
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Watching CustomResourceDefinitions takes a ClusterRole and then costs nothing at rest; without, the API is asked each
   * `pollMs` (default one minute).
   */
  readonly watchDefinitions: boolean;
  readonly pollMs?: number;
}

const WEEK_MS = 604_800_000;
const POLL_MS = 60_000;
/** The API is served some time after its definition was written, and no event tells when. */
const LOOK_AGAIN_MS = [0, 1_000, 3_000, 10_000];
const DEFINITION = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' } as const;

const isResourceList = (
  value: unknown,
): value is { readonly resources: readonly { readonly name?: unknown }[] } =>
  typeof value === 'object' && value !== null && 'resources' in value && Array.isArray(value.resources);

const idOf = ({ apiVersion, plural }: Kind): string => `${apiVersion}/${plural}`;

/** Calls `changed` whenever a definition of one of our groups comes, changes or goes. */
async function followDefinitions(
  { client, kinds, clock, log }: PresenceOptions,
  signal: AbortSignal,
  changed: () => void,
): Promise<void> {
  const groups = new Set(kinds.map(({ apiVersion }) => apiVersion.split('/')[0]));
  // The name of a definition is `certificates.cert-manager.io`.
  const groupOf = (name: string): string => name.split('.').slice(1).join('.');
  const reflector = new Reflector<KubeObject>({
    client,
    kind: client.kindOf(DEFINITION),
    selection: { metadataOnly: true },
    transform: ({ apiVersion, kind, metadata: { name, resourceVersion = '', uid = '' } }) => ({
      apiVersion,
      kind,
      metadata: { name, resourceVersion, uid },
    }),
    onChange: ({ object }) => {
      if (groups.has(groupOf(object.metadata.name))) changed();
    },
    clock,
    log,
  });
  await reflector.run(signal);
}

/** Knows of no API before the first `check`. */
export function createApiPresence(options: PresenceOptions): ApiPresence {
  const { client, kinds, clock, log } = options;
  const there = new Set<string>();
  const listeners: ((kind: Kind, isThere: boolean) => void)[] = [];
  let wake = new AbortController();

  const check = async (signal?: AbortSignal): Promise<void> => {
    for (const version of new Set(kinds.map(({ apiVersion }) => apiVersion))) {
      const answer = await client.read(`/apis/${version}`, { signal });
      const names = new Set(isResourceList(answer) ? answer.resources.map(({ name }) => name) : []);
      for (const kind of kinds.filter(({ apiVersion }) => apiVersion === version)) {
        const [id, isThere] = [idOf(kind), names.has(kind.plural)];
        if (there.has(id) === isThere) continue;
        if (isThere) there.add(id);
        else there.delete(id);
        log.info({ api: id }, isThere ? 'an optional API is there' : 'an optional API is gone');
        for (const listener of listeners) listener(kind, isThere);
      }
    }
  };
  const tryCheck = async (signal: AbortSignal): Promise<void> => {
    try {
      await check(signal);
    } catch (error) {
      if (!signal.aborted && !isForbidden(error))
        log.warn({ reason: messageOf(error) }, 'optional APIs could not be looked up');
    }
  };
  const lookWhenWoken = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      for (const afterMs of LOOK_AGAIN_MS) {
        await clock.sleep(afterMs, signal);
        if (!signal.aborted) await tryCheck(signal);
      }
      const idle = wake.signal;
      if (!idle.aborted && !signal.aborted) {
        const forMs = options.watchDefinitions ? WEEK_MS : (options.pollMs ?? POLL_MS);
        await clock.sleep(forMs, AbortSignal.any([signal, idle]));
      }
      if (idle.aborted) wake = new AbortController();
    }
  };
  return {
    has: (kind) => there.has(idOf(kind)),
    onChange: (listener) => void listeners.push(listener),
    check,
    async run(signal) {
      await Promise.all([
        lookWhenWoken(signal),
        ...(options.watchDefinitions ? [followDefinitions(options, signal, () => wake.abort())] : []),
      ]);
    },
  };
}
