import { CapstanError } from '../../core/runtime/errors.ts';

/** A Status object, as far as we read it (meta/v1). */
interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: number };
}

const isStatus = (value: unknown): value is Status => typeof value === 'object' && value !== null;

/** The API server answered, and said no. `code` is `kube_` and its reason: `kube_Conflict`, `kube_NotFound`. */
export class KubeError extends CapstanError {
  /** HTTP status. */
  readonly status: number;
  /** The API's word for it: `Conflict`, `AlreadyExists`, `Invalid`, `Forbidden`, `Expired` … */
  readonly reason: string;
  /** How long the server asks us to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(what: string, status: number, answer: unknown, retryAfterMs?: number) {
    const said: Status = isStatus(answer) ? answer : {};
    const reason = said.reason ?? `Http${status}`;
    super(`kube_${reason}`, `${what}: ${status} ${said.message ?? reason}`);
    this.status = status;
    this.reason = reason;
    const seconds = said.details?.retryAfterSeconds;
    this.retryAfterMs = retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1_000);
  }
}

/** No complete answer came. `neverSent` only when the request certainly did not leave this machine. */
export class KubeUnreachable extends CapstanError {
  readonly neverSent: boolean;

  constructor(what: string, why: string, neverSent: boolean, cause?: unknown) {
    super('kube_unreachable', `${what}: ${why}`, { cause });
    this.neverSent = neverSent;
  }
}

/** Something that is not the API's language came over the wire. */
export class KubeProtocolError extends CapstanError {
  constructor(message: string, cause?: unknown) {
    super('kube_protocol', message, { cause });
  }
}

const hasReason = (thrown: unknown, status: number, reason?: string): boolean =>
  thrown instanceof KubeError &&
  thrown.status === status &&
  (reason === undefined || thrown.reason === reason);

export const isNotFound = (thrown: unknown): boolean => hasReason(thrown, 404);
/** The object changed since we read it, or a precondition does not hold. */
export const isConflict = (thrown: unknown): boolean => hasReason(thrown, 409, 'Conflict');
export const isAlreadyExists = (thrown: unknown): boolean => hasReason(thrown, 409, 'AlreadyExists');
/** What we wanted to go on from is no longer kept: a resource version, the rest of a paged list. */
export const isGone = (thrown: unknown): boolean => hasReason(thrown, 410);
export const isForbidden = (thrown: unknown): boolean => hasReason(thrown, 403);
/** The server looked at the object and found it wrong; sending it again is in vain. */
export const isInvalid = (thrown: unknown): boolean => hasReason(thrown, 422) || hasReason(thrown, 400);
