import type * as k8s from '@kubernetes/client-node';

/**
 * An object as it is sent to be applied: nothing in it that the server fills in (status, uid, defaults that we have no
 * opinion about).
 */
export type Applied<T> = T & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
};

export interface ObjectMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly ownerReferences?: OwnerReference[];
}

/** Kubernetes' garbage collection removes what is owned with its owner. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller: true;
  blockOwnerDeletion: true;
}

/** Any child. */
export type KubernetesObject = Applied<object>;

/** Parts of the types of client-node with only what is applied. */
export type PodTemplate = k8s.V1PodTemplateSpec;
export type Container = k8s.V1Container;
export type Volume = k8s.V1Volume;

/** `apps/v1/Deployment/harbor-server`: tells a child among those of one namespace. */
export const idOf = (object: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}): string => `${object.apiVersion}/${object.kind}/${object.metadata.name}`;
