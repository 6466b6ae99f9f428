import type { Log } from '../../core/runtime/log.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { sourceKey, type Source } from '../resources/secrets.ts';
import { isOfAnother, type Owner } from './anchor-object.ts';

/**
 * Asks the API server itself for Secrets and ConfigMaps that the caches do not have: what was applied just before its Anchor
 * may come to them after it, and nobody is to be told that it is missing. An API server that does not answer must not hold up a
 * suspension: what cannot be asked for stays missing until it can.
 * @returns the versions of those that are there, by `Secret/name`
 * @throws only what the signal is aborted with
 */
export async function askFor(
  missing: readonly Source[],
  { owner, signal }: { readonly owner: Owner; readonly signal: AbortSignal },
  { client, log }: { readonly client: KubeClient; readonly log: Log },
): Promise<ReadonlyMap<string, string>> {
  const versions = new Map<string, string>();
  for (const source of missing) {
    const kind = client.kindOf({ apiVersion: 'v1', kind: source.kind });
    const ref = { name: source.name, namespace: owner.namespace };
    try {
      const found = await client.get<KubeObject>(kind, ref, { metadataOnly: true, signal });
      if (!found || isOfAnother(found, owner) || found.metadata.deletionTimestamp !== undefined) continue;
      versions.set(sourceKey(source), found.metadata.resourceVersion ?? '');
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, source: sourceKey(source) }, 'what the caches lack cannot be asked for');
    }
  }
  return versions;
}
