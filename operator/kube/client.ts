import { isConflict, isNotFound } from './errors.ts';
import { kindFinder, pathOf } from './kinds.ts';
import type { Kind, KindFinder } from './kinds.ts';
import { acceptOne, listAll } from './list.ts';
import type { ObjectList, Selection } from './list.ts';
import type { KubeObject, ObjectRef } from './objects.ts';
import { createSender, openStream } from './requests.ts';
import type { CallOptions, RequestTools } from './requests.ts';
import type { HttpStream } from './transport.ts';

/** An object that is sent: what the server fills in may be missing. Builders' own types fit. */
export interface Intent {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export interface ApplyOptions extends CallOptions {
  /** Who owns the fields that are sent. Default: the client's. */
  readonly fieldManager?: string;
  readonly subresource?: 'status';
  /** Takes fields from other managers. Default true: a controller knows best what it applies. */
  readonly force?: boolean;
  readonly dryRun?: boolean;
  /** What is answered is the metadata alone. */
  readonly metadataOnly?: boolean;
}

export interface DeleteOptions extends CallOptions {
  /** Delete only this very object, not a later one of the same name. */
  readonly uid?: string;
  /** Delete only if it did not change since. */
  readonly resourceVersion?: string;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
}

/** The API of Kubernetes for any kind. All methods throw KubeError, KubeUnreachable or the reason of `signal`. */
export interface KubeClient {
  readonly kindOf: KindFinder;
  /** undefined when there is none. */
  get<T extends KubeObject>(
    kind: Kind,
    ref: ObjectRef,
    options?: CallOptions & { metadataOnly?: boolean },
  ): Promise<T | undefined>;
  /** All of them, read in pages of `pageSize` (default 500), as they were at one moment. */
  list<T extends KubeObject>(
    kind: Kind,
    selection?: Selection & { pageSize?: number },
    options?: CallOptions,
  ): Promise<ObjectList<T>>;
  /** Server-side apply: what is sent is the whole intent; a field that is no longer sent is removed. */
  apply<T extends KubeObject>(object: Intent, options?: ApplyOptions): Promise<T>;
  create<T extends KubeObject>(object: Intent, options?: CallOptions): Promise<T>;
  /** With `metadata.resourceVersion` a 409 tells that somebody was first. */
  replace<T extends KubeObject>(
    object: Intent,
    options?: CallOptions & { subresource?: 'status' },
  ): Promise<T>;
  /** JSON merge patch (RFC 7396). */
  mergePatch<T extends KubeObject>(
    kind: Kind,
    ref: ObjectRef,
    patch: object,
    options?: CallOptions & { subresource?: 'status' },
  ): Promise<T>;
  /** @returns false when the object, or with `uid` that very object, was not there */
  delete(kind: Kind, ref: ObjectRef, options?: DeleteOptions): Promise<boolean>;
  /** Any GET, for discovery; undefined when there is nothing. */
  read(path: string, options?: CallOptions): Promise<unknown>;
  /** Opens a watch; see watch.ts. @throws KubeError when the server refuses */
  openWatch(
    kind: Kind,
    selection: Selection,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpStream>;
}

export interface ClientOptions extends RequestTools {
  /** Owns the fields that we apply, create and patch. */
  readonly fieldManager: string;
  /** Kinds beyond those of kinds.ts. */
  readonly kinds?: readonly Kind[];
}

type Reads = Pick<KubeClient, 'get' | 'list' | 'read' | 'openWatch'>;
type Writes = Pick<KubeClient, 'apply' | 'create' | 'replace' | 'mergePatch' | 'delete'>;

/** What `work` yields, or undefined when there is no such thing. */
async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function createReads(options: ClientOptions): Reads {
  const send = createSender(options);
  return {
    get: <T extends KubeObject>(
      kind: Kind,
      ref: ObjectRef,
      { metadataOnly, ...call }: CallOptions & { metadataOnly?: boolean } = {},
    ) =>
      orUndefined(
        send({ method: 'GET', path: pathOf(kind, ref), accept: acceptOne(metadataOnly), ...call }),
      ) as Promise<T | undefined>,
    list: (kind, selection = {}, call = {}) => listAll(send, kind, selection, call),
    read: (path, call = {}) => orUndefined(send({ method: 'GET', path, ...call })),
    openWatch(kind, { namespace, labelSelector, fieldSelector, metadataOnly }, query, signal) {
      const path = pathOf(kind, { namespace });
      const all = { ...query, watch: 'true', labelSelector, fieldSelector };
      return openStream({ path, query: all, accept: acceptOne(metadataOnly), signal }, options);
    },
  };
}

function createWrites(options: ClientOptions, kindOf: KindFinder): Writes {
  const { fieldManager } = options;
  const send = createSender(options);
  const sendOne = async <T extends KubeObject>(request: Parameters<typeof send>[0]): Promise<T> =>
    (await send(request)) as T;
  const targetOf = (object: Intent, subresource?: string): string =>
    pathOf(kindOf(object), { ...object.metadata, subresource });
  return {
    async apply<T extends KubeObject>(
      object: Intent,
      { fieldManager: manager = fieldManager, subresource, force = true, ...rest }: ApplyOptions = {},
    ) {
      const { dryRun, metadataOnly, ...call } = rest;
      const applied = await sendOne<T>({
        method: 'PATCH',
        path: targetOf(object, subresource),
        query: {
          fieldManager: manager,
          force: String(force),
          // The server refuses unknown fields in any case; more would be a second parse, for keys that JSON cannot repeat.
          fieldValidation: 'Ignore',
          dryRun: dryRun === true ? 'All' : undefined,
        },
        body: object,
        contentType: 'application/apply-patch+yaml',
        accept: acceptOne(metadataOnly),
        ...call,
      });
      const { apiVersion, kind } = object;
      return metadataOnly === true ? { ...applied, apiVersion, kind } : applied;
    },
    create(object, call = {}) {
      const path = pathOf(kindOf(object), { namespace: object.metadata.namespace });
      return sendOne({ method: 'POST', path, query: { fieldManager }, body: object, ...call });
    },
    replace: (object, { subresource, ...call } = {}) =>
      sendOne({
        method: 'PUT',
        path: targetOf(object, subresource),
        query: { fieldManager },
        body: object,
        ...call,
      }),
    mergePatch: (kind, ref, patch, { subresource, ...call } = {}) =>
      sendOne({
        method: 'PATCH',
        path: pathOf(kind, { ...ref, subresource }),
        query: { fieldManager },
        body: patch,
        contentType: 'application/merge-patch+json',
        ...call,
      }),
    async delete(kind, ref, { uid, resourceVersion, propagation = 'Background', ...call } = {}) {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid, resourceVersion },
        propagationPolicy: propagation,
      };
      try {
        await send({ method: 'DELETE', path: pathOf(kind, ref), body, ...call });
        return true;
      } catch (error) {
        // Another object of that name: the one that was meant is gone.
        const isAnother = isConflict(error) && uid !== undefined && resourceVersion === undefined;
        if (isNotFound(error) || isAnother) return false;
        throw error;
      }
    },
  };
}

/** Makes a client on a transport. It keeps no state. */
export function createKubeClient(options: ClientOptions): KubeClient {
  const kindOf = kindFinder(options.kinds);
  return { kindOf, ...createReads(options), ...createWrites(options, kindOf) };
}
