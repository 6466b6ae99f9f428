import { open } from 'node:fs/promises';

/** A line of the audit log (audit.k8s.io/v1 Event, Metadata). */
export interface AuditEvent {
  /** `ResponseComplete`; `ResponseStarted` of a watch. */
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly user: { readonly username: string };
  readonly objectRef?: Readonly<
    Partial<Record<'apiGroup' | 'resource' | 'subresource' | 'namespace' | 'name', string>>
  >;
  readonly responseStatus?: { readonly code?: number };
}

/**
 * Reads what a user has asked for since it was read last; at first, since the log began. Only what is new is read: the log of
 * a run grows to a hundred megabytes.
 */
export function followAuditLog(file: string, user: string): () => Promise<readonly AuditEvent[]> {
  let offset = 0;
  const isOf = (line: string): boolean => line.includes(JSON.stringify(user));
  return async () => {
    const more = await readFrom(file, offset);
    // The last line may be half written.
    const whole = more.subarray(0, more.lastIndexOf('\n') + 1);
    offset += whole.length;
    return whole
      .toString('utf8')
      .split('\n')
      .flatMap((line) => (isOf(line) ? [JSON.parse(line) as AuditEvent] : []))
      .filter(({ user: { username } }) => username === user);
  };
}

async function readFrom(file: string, offset: number): Promise<Buffer> {
  const log = await open(file, 'r').catch(() => undefined);
  if (!log) return Buffer.alloc(0);
  try {
    const { size } = await log.stat();
    const wanted = Buffer.alloc(Math.max(0, size - offset));
    const { bytesRead } = await log.read(wanted, { position: offset });
    return wanted.subarray(0, bytesRead);
  } finally {
    await log.close();
  }
}
