import { followAuditLog, type AuditEvent } from '../../test/cluster/audit-log.ts';

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

/** Reads what is new in the audit log since it was read last, of one user. */
export function followAuditLines(file: string, user: string): () => Promise<readonly AuditLine[]> {
  const more = followAuditLog(file, user);
  return async () => (await more()).map(lineOf);
}

function lineOf(event: AuditEvent): AuditLine {
  const { resource = event.requestURI, subresource, namespace = '', name = '' } = event.objectRef ?? {};
  return {
    fromMs: Date.parse(event.requestReceivedTimestamp),
    toMs: Date.parse(event.stageTimestamp),
    verb: event.verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    status: event.responseStatus?.code ?? 0,
    stage: event.stage,
  };
}

/** The operator's writes of children: everything but Anchors themselves, Events and its Lease. */
export const isChildWrite = ({ verb, resource, status, stage }: AuditLine): boolean =>
  ['create', 'patch', 'update'].includes(verb) &&
  stage === 'ResponseComplete' &&
  status < 300 &&
  !resource.startsWith('anchors') &&
  !['events', 'leases'].includes(resource);
