import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { CapstanError } from '../../core/runtime/errors.ts';
import { ANCHOR, type AnchorObject } from '../../operator/anchor/anchor-object.ts';
import { monotonicClock as clock } from '../../operator/engine/monotonic-clock.ts';
import { createKubeClient, type KubeClient } from '../../operator/kube/client.ts';
import { isForbidden, isNotFound } from '../../operator/kube/errors.ts';
import { kubeconfigCredentials } from '../../operator/kube/kubeconfig.ts';
import type { RetryPolicy } from '../../operator/kube/retry.ts';
import { createTransport, type Transport } from '../../operator/kube/transport.ts';
import { VERSION } from '../version.ts';

/** Where a command of the plugin works: the options that kubectl's own commands take. */
export interface PlaceOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** A cluster and a namespace in it, by the user's own kubeconfig and rights. */
export interface Place {
  readonly client: KubeClient;
  readonly transport: Transport;
  readonly namespace: string;
  close(): Promise<void>;
}

/** Owns what the plugin writes. */
export const PLUGIN_MANAGER = 'kubectl-anchor';
/** A person waits. */
export const HURRIED: RetryPolicy = { tries: 3, tryTimeoutMs: 10_000, timeoutMs: 20_000 };
const MOST_NAMES = 20;

export class NoKubeconfig extends CapstanError {
  constructor(files: readonly string[]) {
    super(
      'no_kubeconfig',
      `There is no ${files.join(' or ')}. Name the file that says which cluster is meant: --kubeconfig or $KUBECONFIG.`,
    );
  }
}

export class AnchorsNotServed extends CapstanError {
  constructor() {
    super(
      'anchors_not_served',
      'This cluster knows no Anchors. Is it the right one (kubectl config current-context), and is Capstan installed there (helm install capstan helm/capstan)?',
    );
  }
}

export class UnknownAnchor extends CapstanError {
  constructor(name: string, namespace: string, hint: string) {
    super('unknown_anchor', `There is no Anchor "${name}" in the namespace "${namespace}". ${hint}`);
  }
}

/** The files that kubectl would read. @throws {NoKubeconfig} when none of them is there, outside of a pod */
function requireKubeconfig({ kubeconfig }: PlaceOptions): void {
  const given = (kubeconfig ?? process.env['KUBECONFIG'] ?? '').split(path.delimiter).filter(Boolean);
  const files = given.length > 0 ? given : [path.join(homedir(), '.kube', 'config')];
  const isPod = kubeconfig === undefined && process.env['KUBERNETES_SERVICE_HOST'] !== undefined;
  if (!isPod && !files.some((file) => existsSync(file))) throw new NoKubeconfig(files);
}

/** @throws {NoKubeconfig}, or {NoCluster} when the kubeconfig names none */
export async function openPlace(options: PlaceOptions): Promise<Place> {
  const { namespace, context, kubeconfig } = options;
  requireKubeconfig(options);
  const credentials = await kubeconfigCredentials({
    clock,
    ...(kubeconfig !== undefined && { path: kubeconfig }),
    ...(context !== undefined && { context }),
  });
  const transport = createTransport({ credentials, connections: 8 });
  const client = createKubeClient({
    transport,
    clock,
    userAgent: `kubectl-anchor/${VERSION}`,
    fieldManager: PLUGIN_MANAGER,
    kinds: [ANCHOR],
  });
  return {
    client,
    transport,
    namespace: namespace ?? credentials.namespace ?? 'default',
    close: () => transport.close(),
  };
}

/** Does one thing at a place, and closes it whatever happens. */
export async function atPlace<T>(options: PlaceOptions, work: (place: Place) => Promise<T>): Promise<T> {
  const place = await openPlace(options);
  try {
    return await work(place);
  } finally {
    await place.close();
  }
}

/** @throws {UnknownAnchor} that lists those that there are, or {AnchorsNotServed} */
export async function findAnchor({ client, namespace }: Place, name: string): Promise<AnchorObject> {
  const found = await client.get<AnchorObject>(ANCHOR, { name, namespace }, { retry: HURRIED });
  if (found) return found;
  throw new UnknownAnchor(name, namespace, await hintOf(client, namespace));
}

/** Names of the Anchors of a namespace, or of the cluster. @throws {AnchorsNotServed} */
export async function anchorNames(
  client: KubeClient,
  namespace: string | undefined,
): Promise<readonly { readonly name: string; readonly namespace: string }[]> {
  try {
    const { items } = await client.list(ANCHOR, { namespace, metadataOnly: true }, { retry: HURRIED });
    return items.map(({ metadata }) => ({ name: metadata.name, namespace: metadata.namespace ?? '' }));
  } catch (error) {
    throw isNotFound(error) ? new AnchorsNotServed() : error;
  }
}

async function hintOf(client: KubeClient, namespace: string): Promise<string> {
  const here = await anchorNames(client, namespace);
  if (here.length > 0) return `There is: ${listed(here.map(({ name }) => name))}.`;
  try {
    const all = await anchorNames(client, undefined);
    if (all.length === 0) return 'There is none in the whole cluster.';
    const places = all.map((one) => `${one.name} (-n ${one.namespace})`);
    return `There is none at all; elsewhere there is: ${listed(places)}.`;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return 'There is none at all; name another namespace with -n.';
  }
}

const listed = (names: readonly string[]): string =>
  [
    ...names.toSorted().slice(0, MOST_NAMES),
    ...(names.length > MOST_NAMES ? [`and ${names.length - MOST_NAMES} more`] : []),
  ].join(', ');
