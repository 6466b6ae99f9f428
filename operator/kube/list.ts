import { isGone, KubeProtocolError } from './errors.ts';
import { pathOf } from './kinds.ts';
import type { Kind } from './kinds.ts';
import type { KubeObject } from './objects.ts';
import { JSON_TYPE } from './requests.ts';
import type { CallOptions, Send } from './requests.ts';
import type { RetryPolicy } from './retry.ts';

export interface Selection {
  /** Absent: of the whole cluster. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Only `metadata`, as PartialObjectMetadata: the server sends nothing else. */
  readonly metadataOnly?: boolean | undefined;
}

export interface ObjectList<T> {
  readonly items: readonly T[];
  /** Of the list as a whole: where a watch goes on. */
  readonly resourceVersion: string;
}

interface Page {
  /** The server writes null for an empty list of metadata. */
  readonly items: readonly object[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

const PAGE_SIZE = 500;
/** A list of the whole cluster takes its time. */
const LIST_RETRY: RetryPolicy = { tryTimeoutMs: 60_000, timeoutMs: 120_000 };
const partial = (as: string): string => `${JSON_TYPE};as=${as};g=meta.k8s.io;v=v1`;

export const acceptOne = (metadataOnly: boolean | undefined): string =>
  metadataOnly === true ? partial('PartialObjectMetadata') : JSON_TYPE;
const acceptList = (metadataOnly: boolean | undefined): string =>
  metadataOnly === true ? partial('PartialObjectMetadataList') : JSON_TYPE;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const isPage = (value: unknown): value is Page =>
  isObject(value) &&
  (value['items'] === null || (Array.isArray(value['items']) && value['items'].every(isObject))) &&
  isObject(value['metadata']) &&
  typeof value['metadata']['resourceVersion'] === 'string';

async function readPages<T extends KubeObject>(
  send: Send,
  kind: Kind,
  selection: Selection,
  paging: { readonly pageSize: number | undefined } & CallOptions,
): Promise<ObjectList<T>> {
  const { pageSize, ...call } = paging;
  const items: T[] = [];
  const readPage = async (from: string | undefined): Promise<Page> => {
    const answer = await send({
      method: 'GET',
      path: pathOf(kind, { namespace: selection.namespace }),
      query: {
        labelSelector: selection.labelSelector,
        fieldSelector: selection.fieldSelector,
        limit: pageSize === undefined ? undefined : String(pageSize),
        continue: from,
      },
      accept: acceptList(selection.metadataOnly),
      retry: LIST_RETRY,
      ...call,
    });
    if (!isPage(answer)) throw new KubeProtocolError(`GET ${kind.plural}: the answer is no list`);
    // Items of a list come without their kind, or as PartialObjectMetadata.
    const { apiVersion, kind: name } = kind;
    for (const item of answer.items ?? []) items.push({ ...item, apiVersion, kind: name } as unknown as T);
    return answer;
  };
  let page = await readPage(undefined);
  while (page.metadata.continue !== undefined && page.metadata.continue !== '') {
    page = await readPage(page.metadata.continue);
  }
  return { items, resourceVersion: page.metadata.resourceVersion };
}

/** Reads all objects of a kind as they were at one moment, in pages. */
export async function listAll<T extends KubeObject>(
  send: Send,
  kind: Kind,
  { pageSize = PAGE_SIZE, ...selection }: Selection & { readonly pageSize?: number },
  call: CallOptions,
): Promise<ObjectList<T>> {
  try {
    return await readPages(send, kind, selection, { pageSize, ...call });
  } catch (error) {
    // The rest of the pages is no longer kept; all at once needs one moment only.
    if (isGone(error)) return readPages(send, kind, selection, { pageSize: undefined, ...call });
    throw error;
  }
}
