import { open } from 'node:fs/promises';

/** One finished request as the API server's audit log has it. */
export interface AuditLine {
  /** When it came and when it was answered; ms since the epoch. For a watch: when it was opened and when it ended. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly verb: string;
  /** With its subresource: `anchors/status`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly status: number;
  /** `ResponseComplete`; `ResponseStarted` of a watch. */
  readonly stage: string;
}

interface Event {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly user: { readonly username: string };
  readonly objectRef?: Readonly<Partial<Record<'resource' | 'subresource' | 'namespace' | 'name', string>>>;
  readonly responseStatus?: { readonly code?: number };
}

/** Reads what is new in the audit log since it was read last, of one user. */
export function followAuditLog(file: string, user: string): () => Promise<readonly AuditLine[]> {
  let offset = 0;
  return async () => {
    await using log = await open(file, 'r');
    const { size } = await log.stat();
    const { buffer, bytesRead } = await log.read(Buffer.alloc(Math.max(0, size - offset)), {
      position: offset,
    });
    const text = buffer.toString('utf8', 0, bytesRead);
    // The last line may be half written.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    offset += Buffer.byteLength(whole);
    return whole
      .split('\n')
      .flatMap((line) => (line.includes(JSON.stringify(user)) ? lineOf(line, user) : []));
  };
}

function lineOf(line: string, user: string): AuditLine[] {
  const event = JSON.parse(line) as Event;
  if (event.user.username !== user) return [];
  const { resource = event.requestURI, subresource, namespace = '', name = '' } = event.objectRef ?? {};
  return [
    {
      fromMs: Date.parse(event.requestReceivedTimestamp),
      toMs: Date.parse(event.stageTimestamp),
      verb: event.verb,
      resource: subresource === undefined ? resource : `${resource}/${subresource}`,
      namespace,
      name,
      status: event.responseStatus?.code ?? 0,
      stage: event.stage,
    },
  ];
}

/** The operator's writes of children: everything but Anchors themselves, Events and its Lease. */
export const isChildWrite = ({ verb, resource, status, stage }: AuditLine): boolean =>
  ['create', 'patch', 'update'].includes(verb) &&
  stage === 'ResponseComplete' &&
  status < 300 &&
  !resource.startsWith('anchors') &&
  !['events', 'leases'].includes(resource);
