import { LedgerError } from './errors.ts';

/** Which of the two URLs a request came by. */
export type ListenerName = 'main' | 'second';
/** What a request is for: `stream` only for accepted event streams. */
export type RequestKind = 'read' | 'submission' | 'stream';

/** How long a fault lasts: so many uses, so many milliseconds, whichever ends first; neither = until cleared. */
export interface Limited {
  readonly count?: number;
  readonly durationMs?: number;
}

export interface RequestFault extends Limited {
  /** absent = both */
  readonly listener?: ListenerName;
  /** absent = reads (streams too) and submissions */
  readonly only?: 'reads' | 'submissions';
}

/** What the ledger does wrong on request. Null ends a fault at once. */
export interface Misbehaviour {
  /** submissions are applied, yet answered 504 once their ledger closed */
  readonly timeoutAfterApplying: RequestFault | null;
  /** submissions are thrown away and answered 504 at once */
  readonly timeoutWithoutApplying: RequestFault | null;
  /** submissions never get an answer, as from a frozen node; `apply` = they are applied all the same */
  readonly hangSubmissions: (RequestFault & { readonly apply?: boolean }) | null;
  /** 429 with Retry-After (1 s unless told) */
  readonly rateLimit: (RequestFault & { readonly retryAfterSeconds?: number }) | null;
  /** 503 stale_history, as with the node's port closed */
  readonly unavailable: RequestFault | null;
  readonly delayReplies: (RequestFault & { readonly milliseconds: number }) | null;
  /** a proxy's HTML page (502 unless told) instead of JSON */
  readonly notJson: (RequestFault & { readonly status?: number }) | null;
  /** the connection breaks after so many records (0 unless told), without the closing event */
  readonly cutStreams: (RequestFault & { readonly afterRecords?: number }) | null;
  /** streams stay open and silent; what they hold back follows when the fault ends */
  readonly stallStreams: Pick<RequestFault, 'durationMs' | 'listener'> | null;
  /** reads answer as of so many ledgers ago (at most 100) */
  readonly lagReads: (RequestFault & { readonly ledgers: number }) | null;
  /** others bid for every ledger, filling it (or `operations` of it); `count` counts ledgers */
  readonly surge: (Limited & { readonly bidStroops: number; readonly operations?: number }) | null;
  /** the clock's closes do not happen; `count` counts closes. closeLedger() closes all the same */
  readonly skipCloses: Limited | null;
  /**
   * only so many ledgers stay known. As on a real Horizon, ascending pages and streams then silently begin at the
   * oldest known ledger; with `refuseAscending` they answer 410 too.
   */
  readonly forgetHistory:
    (Limited & { readonly keepLedgers: number; readonly refuseAscending?: boolean }) | null;
}

export type FaultName = keyof Misbehaviour;
type RequestFaultName = Exclude<FaultName, 'surge' | 'skipCloses' | 'forgetHistory'>;

type FieldKind = 'number' | 'boolean' | readonly string[];

const LIMITS = { count: 'number', durationMs: 'number' } as const;
const REQUEST = { ...LIMITS, listener: ['main', 'second'], only: ['reads', 'submissions'] } as const;

/** The fields of each fault; those in REQUIRED must be there. */
const FIELDS: Readonly<Record<FaultName, Readonly<Record<string, FieldKind>>>> = {
  timeoutAfterApplying: REQUEST,
  timeoutWithoutApplying: REQUEST,
  hangSubmissions: { ...REQUEST, apply: 'boolean' },
  rateLimit: { ...REQUEST, retryAfterSeconds: 'number' },
  unavailable: REQUEST,
  delayReplies: { ...REQUEST, milliseconds: 'number' },
  notJson: { ...REQUEST, status: 'number' },
  cutStreams: { ...REQUEST, afterRecords: 'number' },
  stallStreams: { durationMs: 'number', listener: ['main', 'second'] },
  lagReads: { ...REQUEST, ledgers: 'number' },
  surge: { ...LIMITS, bidStroops: 'number', operations: 'number' },
  skipCloses: LIMITS,
  forgetHistory: { ...LIMITS, keepLedgers: 'number', refuseAscending: 'boolean' },
};

const REQUIRED: Readonly<Partial<Record<FaultName, string>>> = {
  delayReplies: 'milliseconds',
  lagReads: 'ledgers',
  surge: 'bidStroops',
  forgetHistory: 'keepLedgers',
};

export class MisbehaviourError extends LedgerError {
  constructor(message: string) {
    super('unknown_misbehaviour', message);
  }
}

function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FIELDS, name);
}

function fits(value: unknown, kind: FieldKind): boolean {
  if (kind === 'number') return typeof value === 'number' && Number.isInteger(value) && value >= 0;
  if (kind === 'boolean') return typeof value === 'boolean';
  return typeof value === 'string' && kind.includes(value);
}

function checkFault(name: FaultName, fault: unknown): void {
  if (fault === null) return;
  if (typeof fault !== 'object') throw new MisbehaviourError(`${name} must be an object, or null to end it.`);
  const fields = FIELDS[name];
  for (const [field, value] of Object.entries(fault ?? {})) {
    const kind = fields[field];
    if (kind === undefined || !fits(value, kind))
      throw new MisbehaviourError(`${name}.${field} is not understood.`);
  }
  const required = REQUIRED[name];
  if (required !== undefined && !Object.hasOwn(fault ?? {}, required)) {
    throw new MisbehaviourError(`${name} needs ${required}.`);
  }
}

/** Checks a change that came as JSON. @throws MisbehaviourError naming the field */
export function parseMisbehaviour(value: unknown): Partial<Misbehaviour> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MisbehaviourError('Send an object of faults.');
  }
  for (const [name, fault] of Object.entries(value)) {
    if (!isFaultName(name))
      throw new MisbehaviourError(`There is no fault "${name}": ${Object.keys(FIELDS).join(', ')}.`);
    checkFault(name, fault);
  }
  return value;
}

interface Active {
  readonly fault: NonNullable<Misbehaviour[FaultName]>;
  /** uses left; null = unlimited */
  left: number | null;
  /** ms since the epoch; null = unlimited */
  readonly until: number | null;
}

function touches(fault: RequestFault, listener: ListenerName, kind: RequestKind): boolean {
  if (fault.listener !== undefined && fault.listener !== listener) return false;
  return fault.only === undefined || (fault.only === 'submissions') === (kind === 'submission');
}

/** The faults in force, and how much of each is left. */
export class Faults {
  readonly #active = new Map<FaultName, Active>();
  readonly #met = new Map<FaultName, number>();
  readonly #now: () => number;

  /** @param now ms since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @throws MisbehaviourError */
  change(change: Partial<Misbehaviour>): void {
    for (const [name, fault] of Object.entries(parseMisbehaviour(change))) {
      if (!isFaultName(name)) continue;
      if (fault === null) this.#active.delete(name);
      else this.#active.set(name, this.#start(fault));
    }
  }

  /** The fault if it is in force, without using it up. */
  peek<Name extends FaultName>(name: Name): NonNullable<Misbehaviour[Name]> | null {
    const active = this.#active.get(name);
    if (active === undefined) return null;
    const over = active.left === 0 || (active.until !== null && this.#now() >= active.until);
    if (over) this.#active.delete(name);
    // The map holds under each name what change() put there under it.
    return over ? null : (active.fault as NonNullable<Misbehaviour[Name]>);
  }

  /**
   * The fault if it is in force, using it once.
   * @param isMet whether anybody is there whom it hits
   */
  take<Name extends FaultName>(name: Name, isMet = true): NonNullable<Misbehaviour[Name]> | null {
    const fault = this.peek(name);
    if (fault !== null && isMet) this.#note(name);
    const active = this.#active.get(name);
    if (fault !== null && active !== undefined && active.left !== null) active.left -= 1;
    return fault;
  }

  /** The fault if it is in force for such a request, which meets it, without using it up. */
  peekFor<Name extends RequestFaultName>(
    name: Name,
    listener: ListenerName,
    kind: RequestKind,
  ): NonNullable<Misbehaviour[Name]> | null {
    const fault = this.#find(name, listener, kind);
    if (fault !== null) this.#note(name);
    return fault;
  }

  /** The same, using it once. */
  takeFor<Name extends RequestFaultName>(
    name: Name,
    listener: ListenerName,
    kind: RequestKind,
  ): NonNullable<Misbehaviour[Name]> | null {
    return this.#find(name, listener, kind) === null ? null : this.take(name);
  }

  /** How often each fault has hit something so far: being in force is not enough. */
  get met(): Readonly<Partial<Record<FaultName, number>>> {
    return Object.fromEntries(this.#met);
  }

  /** What is in force, with what is left of it. */
  describe(): Record<string, unknown> {
    const names = [...this.#active.keys()].filter((name) => this.peek(name) !== null);
    return Object.fromEntries(
      names.map((name) => [
        name,
        { ...this.#active.get(name)?.fault, left: this.#active.get(name)?.left ?? null },
      ]),
    );
  }

  #find<Name extends RequestFaultName>(
    name: Name,
    listener: ListenerName,
    kind: RequestKind,
  ): NonNullable<Misbehaviour[Name]> | null {
    const fault = this.peek(name);
    return fault !== null && touches(fault, listener, kind) ? fault : null;
  }

  #note(name: FaultName): void {
    this.#met.set(name, (this.#met.get(name) ?? 0) + 1);
  }

  #start(fault: NonNullable<Misbehaviour[FaultName]>): Active {
    const limits: Limited = fault;
    const until = limits.durationMs === undefined ? null : this.#now() + limits.durationMs;
    return { fault, left: limits.count ?? null, until };
  }
}
