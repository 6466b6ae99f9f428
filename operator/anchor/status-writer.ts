import type { AnchorStatus } from '../crd/status.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import type { EventRecorder } from '../kube/events.ts';
import { compareVersions } from '../kube/objects.ts';
import { ANCHOR, STATUS_MANAGER, type AnchorObject } from './anchor-object.ts';
import { isSameStatus, transitions } from './status.ts';

/** Writes the status of Anchors, only when it changes, and an Event for each condition that came to another reason. */
export interface StatusWriter {
  /** What was last written, or what the cache has if that is newer. */
  before(anchor: AnchorObject): AnchorStatus | undefined;
  write(anchor: AnchorObject, status: AnchorStatus, signal: AbortSignal): Promise<void>;
  forget(uid: string): void;
}

export function createStatusWriter(client: KubeClient, events: EventRecorder): StatusWriter {
  /** The cache lags behind our own writes; without this every condition would be told twice. */
  const written = new Map<string, { readonly status: AnchorStatus; readonly resourceVersion: string }>();

  const before = ({ metadata, status }: AnchorObject): AnchorStatus | undefined => {
    const own = written.get(metadata.uid ?? '');
    const isCacheOlder =
      own !== undefined && compareVersions(metadata.resourceVersion ?? '', own.resourceVersion) < 0;
    return isCacheOlder ? own.status : status;
  };
  const tell = (anchor: AnchorObject, next: AnchorStatus): void => {
    const { name, namespace, uid } = anchor.metadata;
    const regarding = {
      apiVersion: ANCHOR.apiVersion,
      kind: ANCHOR.kind,
      name,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
    };
    for (const { condition, event } of transitions(next, before(anchor))) {
      const { type, reason, message } = condition;
      events.record({ regarding, type: event, reason, action: type, note: message });
    }
  };
  return {
    before,
    async write(anchor, status, signal) {
      if (isSameStatus(status, before(anchor))) return;
      const { name, namespace, uid = '' } = anchor.metadata;
      const metadata = { name, ...(namespace !== undefined && { namespace }), uid };
      const { apiVersion, kind } = ANCHOR;
      const intent = { apiVersion, kind, metadata, status };
      try {
        const answer = await client.apply<AnchorObject>(intent, {
          subresource: 'status',
          fieldManager: STATUS_MANAGER,
          metadataOnly: true,
          signal,
        });
        tell(anchor, status);
        written.set(uid, { status, resourceVersion: answer.metadata.resourceVersion ?? '' });
      } catch (error) {
        // It is gone, or another one of the same name: there is nothing left to write to.
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    },
    forget: (uid) => void written.delete(uid),
  };
}
