/**
 * What is put behind an Anchor's name for each of its children. A name has at most 30 characters, so that every sum fits a
 * DNS label (63; a CronJob's 52) without hashing. Within one kind no suffix ends with another one: the Anchors `a` and
 * `a-server` in one namespace never mean the same child.
 */
export const SUFFIX = {
  config: '-config',
  server: '-server',
  /** The server's private port, for the operator and Prometheus only. */
  status: '-status',
  watcher: '-watch-transactions',
  poll: '-poll-deposits',
  trustlines: '-check-trustlines',
  migrate: '-migrate',
  integration: '-integration',
  database: '-database',
  /** Generated Secrets. */
  session: '-session',
  integrationKey: '-hmac',
  /** Secret of the certificate that cert-manager makes. */
  certificate: '-tls',
} as const;

export type ChildRole = keyof typeof SUFFIX;

export const childName = (anchor: string, role: ChildRole): string => `${anchor}${SUFFIX[role]}`;

/** `Migration0007Late` → `0007`: the schema's version as it stands in the name of the Job that arrives at it. */
export function schemaNumber(migration: string): string {
  const number = /^Migration(\d{4,})/.exec(migration)?.[1];
  if (number === undefined) throw new Error(`${migration} is no name of a migration`);
  return number;
}

export const migrationJobName = (anchor: string, migration: string): string =>
  `${childName(anchor, 'migrate')}-${schemaNumber(migration)}`;
