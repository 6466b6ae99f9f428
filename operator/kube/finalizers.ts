import type { KubeClient } from './client.ts';
import type { KubeObject } from './objects.ts';
import type { CallOptions } from './requests.ts';

async function writeFinalizers<T extends KubeObject>(
  client: KubeClient,
  object: T,
  finalizers: readonly string[],
  options: CallOptions,
): Promise<T> {
  // A merge patch replaces the whole list: the version makes sure that it is the list we saw.
  const { resourceVersion } = object.metadata;
  return client.mergePatch<T>(
    client.kindOf(object),
    object.metadata,
    { metadata: { finalizers, resourceVersion } },
    options,
  );
}

/** Keeps the object from going away until `name` is removed. @throws KubeError (isConflict) when it changed meanwhile */
export async function addFinalizer<T extends KubeObject>(
  client: KubeClient,
  object: T,
  name: string,
  options: CallOptions = {},
): Promise<T> {
  const before = object.metadata.finalizers ?? [];
  return before.includes(name) ? object : writeFinalizers(client, object, [...before, name], options);
}

/** Lets the object go. @throws KubeError (isConflict) when it changed meanwhile, isNotFound when it is gone */
export async function removeFinalizer<T extends KubeObject>(
  client: KubeClient,
  object: T,
  name: string,
  options: CallOptions = {},
): Promise<T> {
  const before = object.metadata.finalizers ?? [];
  if (!before.includes(name)) return object;
  return writeFinalizers(
    client,
    object,
    before.filter((one) => one !== name),
    options,
  );
}
