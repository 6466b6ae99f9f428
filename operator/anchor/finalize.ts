import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import { removeFinalizer } from '../kube/finalizers.ts';
import { counted } from './counted.ts';
import { ABANDON, ANCHOR, FINALIZER, isSet, type AnchorObject } from './anchor-object.ts';
import type { ChildObject } from './child-object.ts';
import type { Reading } from './status-reader.ts';

/** Whether an Anchor that is being deleted may go, and why it may not. */
export type Farewell =
  | { readonly mayGo: true }
  /** `isSure`: the server was asked since. */
  | { readonly mayGo: false; readonly isSure: boolean; readonly why: string };

/**
 * Decides on what the server said last. Money can only settle while the anchor runs: where its server is already gone (its
 * namespace is being deleted, or its children before it), waiting would keep everything for nothing.
 *
 * @param known.sinceMs when we saw that it is to be deleted; an older answer does not count
 */
export function farewell(
  anchor: AnchorObject,
  known: {
    readonly server: ChildObject | undefined;
    readonly reading: Reading | undefined;
    readonly sinceMs: number;
  },
): Farewell {
  const { server, reading, sinceMs } = known;
  const isRunning = server !== undefined && server.metadata.deletionTimestamp === undefined;
  const hasServed = anchor.status?.versions?.schema !== undefined;
  if (!isRunning || !hasServed || isSet(anchor, ABANDON)) return { mayGo: true };
  if (!reading || reading.atMs < sinceMs) {
    return { mayGo: false, isSure: false, why: 'the server is being asked how much' };
  }
  if ('error' in reading) {
    return {
      mayGo: false,
      isSure: true,
      why: `how much is not known, because the server does not answer (${reading.error})`,
    };
  }
  const { transfersOpen, submissionsPending, transactionsFunded, tasksOpen } = reading.status.money;
  const open = [
    counted(transactionsFunded, 'transaction', 'whose money is here'),
    counted(transfersOpen, 'payment', 'to be made'),
    counted(submissionsPending, 'submission', 'on the way'),
    counted(tasksOpen, 'message', 'to the integration'),
  ].flatMap((told) => told ?? []);
  return open.length === 0 ? { mayGo: true } : { mayGo: false, isSure: true, why: open.join(', ') };
}

/**
 * Whether the collector of garbage is at work on what belongs to an Anchor that is being deleted: it takes it away
 * (`--cascade=foreground`) or sets it free (`--cascade=orphan`), and what is applied would come back, or be taken along after all.
 */
export const isCascading = ({ metadata }: AnchorObject): boolean =>
  (metadata.finalizers ?? []).some((name) => name === 'foregroundDeletion' || name === 'orphan');

/** Keeps the Anchor from going away unasked, from before money can move. */
export async function holdBack(client: KubeClient, anchor: AnchorObject, signal: AbortSignal): Promise<void> {
  const { name, namespace, uid, finalizers = [] } = anchor.metadata;
  if (finalizers.includes(FINALIZER)) return;
  const { apiVersion, kind } = ANCHOR;
  const metadata = {
    name,
    ...(namespace !== undefined && { namespace }),
    // Another Anchor of that name is none of this one's business: the server then answers 409.
    uid,
    finalizers: [FINALIZER],
  };
  await client.apply({ apiVersion, kind, metadata }, { metadataOnly: true, signal });
}

export async function letGo(client: KubeClient, anchor: AnchorObject, signal: AbortSignal): Promise<void> {
  const now = await client.get<AnchorObject>(ANCHOR, anchor.metadata, { signal });
  if (!now || now.metadata.uid !== anchor.metadata.uid) return;
  try {
    await removeFinalizer(client, now, FINALIZER, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
