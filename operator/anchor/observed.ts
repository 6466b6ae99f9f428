/** A child as a metadata-only cache shows it. */
export interface ObservedChild {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** The annotation `capstan.dev/immutable-hash`. */
  readonly immutableHash?: string;
  /** The annotation `capstan.dev/database`, of the server's Deployment and the migration Job. */
  readonly database?: string;
  readonly isDeleting?: boolean;
}

/** `failing`: a pod of it has failed, and it tries again; `failed`: it does so no more. */
export type JobState = 'running' | 'failing' | 'complete' | 'failed';

/** What is true now, as far as a plan depends on it; the spec and the platform are in the build context. */
export interface Observed {
  /** What this Anchor owns, by the owner's uid. */
  readonly children: readonly ObservedChild[];
  /** Whether every cache is synced: what is missing before that is only not known yet. */
  readonly isSynced: boolean;
  /** The schema that the server's status last reported. */
  readonly schema?: string;
  /** Of the migration Job that is there now; it may be an earlier schema's. */
  readonly migrationJob?: { readonly name: string; readonly state: JobState };
  /** Whether the embedded database has a ready pod; of no matter where there is none. */
  readonly isDatabaseReady: boolean;
  /** The CronJobs are told to rest. */
  readonly suspendWorkers: boolean;
  /** `spec.replicas` of the server's Deployment, where our field manager owns that field. */
  readonly ownedReplicas?: number;
}
