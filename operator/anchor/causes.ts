import type { KubeObject } from '../kube/objects.ts';

/** What keeps a part of an anchor from coming up, as far as the cluster itself tells. */
export interface Cause {
  /** Half a sentence that names the object: it stands behind a condition's own. */
  readonly text: string;
  /** It stays so until somebody acts; what is only slow does not count. */
  readonly isLasting: boolean;
}

/** By the part's component (`COMPONENT_LABEL`); a certificate's under `certificate`. */
export type Causes = ReadonlyMap<string, Cause>;
export const NO_CAUSES: Causes = new Map();

const MOST_TEXT = 300;

/** cert-manager's CertificateRequest as far as it says what it waits for. */
export interface CertificateRequestObject extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** Why there is no certificate yet, from the newest request that the Certificate with this uid has made. */
export function causeOfRequests(
  requests: readonly CertificateRequestObject[],
  certificateUid: string,
): Cause | undefined {
  const newest = requests
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === certificateUid))
    .toSorted((one, other) =>
      (other.metadata.creationTimestamp ?? '').localeCompare(one.metadata.creationTimestamp ?? ''),
    )[0];
  const conditions = newest?.status?.conditions ?? [];
  const of = (type: string, status: string) =>
    conditions.find((one) => one.type === type && one.status === status);
  const refused = of('Denied', 'True') ?? of('InvalidRequest', 'True');
  const said = refused ?? of('Ready', 'False');
  if (!said?.message) return undefined;
  // Only somebody can make an issuer that does not exist; all else cert-manager waits for by itself.
  return {
    text: clean(said.message),
    isLasting: refused !== undefined || said.reason === 'Failed' || said.message.includes('not found'),
  };
}

/** In one line, of bearable length, without what the scheduler says of preemption. */
export const clean = (text = ''): string =>
  text
    .replace(/[.,]?(?: no new claims to deallocate,)? preemption: .*$/s, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, MOST_TEXT)
    .replace(/\.$/, '');
