import { API_VERSION, KIND } from '../../core/spec/schema/anchor.ts';
import type { AnchorStatus } from '../crd/status.ts';
import type { Kind } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/objects.ts';

export const ANCHOR: Kind = { apiVersion: API_VERSION, kind: KIND, plural: 'anchors', namespaced: true };

/** An Anchor as the API server has it: its spec passed the schema of the CRD, but maybe of another release. */
export interface AnchorObject extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: AnchorStatus;
}

/** Owns the fields of every child. */
export const FIELD_MANAGER = 'anchor-operator';
/** Owns the status alone, so that neither apply takes the other's fields away. */
export const STATUS_MANAGER = 'anchor-operator-status';

/** `"true"`: nothing of the Anchor is changed but its status. */
export const PAUSED = 'capstan.dev/paused';
/** `"true"`: the Anchor may go although money is in flight. */
export const ABANDON = 'capstan.dev/abandon-money-in-flight';
/** Keeps an Anchor until its money has settled. */
export const FINALIZER = 'capstan.dev/money-in-flight';

export const isSet = ({ metadata }: KubeObject, annotation: string): boolean =>
  metadata.annotations?.[annotation] === 'true';

/** The Anchor that children belong to. */
export interface Owner {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
}

/** Whether an object belongs to another Anchor of the same name: one that was deleted before this one was made. */
export const isOfAnother = ({ metadata }: KubeObject, { name, uid }: Owner): boolean =>
  (metadata.ownerReferences ?? []).some(
    (reference) => reference.kind === KIND && reference.name === name && reference.uid !== uid,
  );
