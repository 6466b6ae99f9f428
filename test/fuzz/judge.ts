import type { Answer } from './client.ts';
import { SCRIPT } from './hostile.ts';
import { nameOf, type RouteRow } from './table.ts';
import type { Sending } from './wire.ts';

/** What is to be known of a request to judge its answer. */
export interface Asked {
  readonly sending: Sending;
  /** The route that was meant; undefined for paths and bytes that nobody serves. */
  readonly row?: RouteRow;
  /** By its token and its route's schema it deserves more than a refusal. */
  readonly isGood?: boolean;
  /** Parameters that it carries: `body.memo`. */
  readonly parameters?: readonly string[];
  /** Something that the answer may need was away when it was sent or answered. */
  readonly isDown: boolean;
  /** The connection may end without an answer: more was sent than anyone would read. */
  readonly mayBeCut?: boolean;
}

export interface Violation {
  readonly why: string;
  readonly request: string;
  readonly answer: string;
}

const MAX_MS = 15_000;
const MAX_VIOLATIONS = 500;
const STACK = /\n\s+at |node_modules|file:\/\/\/(?!etc)|\.ts:\d|\/(?:work|home|usr|tmp)\//;

/** Holds every answer against what the wallet may rely on, and counts. */
export class Judge {
  readonly violations: Violation[] = [];
  readonly histogram = new Map<string, Map<number, number>>();
  readonly parametersSent = new Set<string>();
  readonly parametersTaken = new Set<string>();
  readonly counts = { requests: 0, pastGate: 0, succeeded: 0, whileDown: 0, cut: 0 };
  slowestMs = 0;

  /** @returns the answer, for whoever goes on with it */
  hear(asked: Asked, answer: Answer): Answer {
    this.#count(asked, answer);
    for (const why of problemsOf(asked, answer)) this.blame(why, asked.sending, answer);
    return answer;
  }

  blame(why: string, sending: Sending | undefined, answer?: Answer): void {
    if (this.violations.length >= MAX_VIOLATIONS) return;
    this.violations.push({
      why,
      request: sending === undefined ? '' : describe(sending),
      answer:
        answer === undefined ? '' : `${answer.status} ${answer.failure ?? ''} ${answer.text.slice(0, 400)}`,
    });
  }

  /** The violations by what is wrong, each kind with its number and its first example. */
  summary(): readonly string[] {
    const kinds = Map.groupBy(
      this.violations,
      ({ why, request }) =>
        `${why.replaceAll(/[0-9a-f-]{36}/g, '…')} | ${request.split(/[?\n]/, 1)[0]?.slice(0, 80)}`,
    );
    return [...kinds].map(
      ([kind, [first, ...others]]) =>
        `${1 + others.length} × ${kind}\n${first!.why}\n${first!.request}\n→ ${first!.answer}`,
    );
  }

  #count({ row, isGood, parameters = [], isDown }: Asked, { status, ms }: Answer): void {
    const { counts } = this;
    const name = row === undefined ? '(none)' : nameOf(row);
    const statuses = this.histogram.get(name) ?? new Map<number, number>();
    this.histogram.set(name, statuses.set(status, (statuses.get(status) ?? 0) + 1));
    counts.requests += 1;
    if (isDown) counts.whileDown += 1;
    if (status === 0) counts.cut += 1;
    this.slowestMs = Math.max(this.slowestMs, ms);
    const isTaken = status >= 200 && status < 300 && row !== undefined;
    // Of routes without any gate or schema nothing is to be got past.
    const hasGate = row !== undefined && (row.gate !== 'none' || parameters.length > 0);
    if (hasGate && (isGood === true || isPast(status, row))) counts.pastGate += 1;
    if (isTaken) counts.succeeded += 1;
    for (const parameter of parameters) {
      this.parametersSent.add(`${name} ${parameter}`);
      if (status < 400) this.parametersTaken.add(`${name} ${parameter}`);
    }
  }
}

/** Pages answer 422 and 409 to what they have read and want otherwise. */
function isPast(status: number, row: RouteRow): boolean {
  if (status >= 200 && status < 400) return true;
  return row.answers === 'page' && (status === 422 || status === 409);
}

function describe({ method, target, headers, body }: Sending): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value.slice(0, 120)}`);
  return [`${method} ${target.slice(0, 600)}`, ...lines, body?.subarray(0, 600).toString() ?? ''].join(
    '\n  ',
  );
}

function* problemsOf(asked: Asked, answer: Answer): Generator<string> {
  const { status, ms, failure } = answer;
  if (ms > MAX_MS) yield `it took ${Math.round(ms)} ms`;
  if (failure !== undefined) {
    if (asked.mayBeCut !== true) yield `no answer: ${failure}`;
    return;
  }
  yield* statusProblems(asked, answer);
  if (STACK.test(answer.text)) yield 'it tells of the inside';
  if (answer.text.includes(SCRIPT) && !isJson(answer)) yield 'it holds a script that somebody sent';
  const { headers } = answer;
  for (const header of ['x-injected', 'x-powered-by']) {
    if (headers[header] !== undefined) yield `it has the header ${header}`;
  }
  const isPage = asked.row?.answers === 'page' || asked.row?.answers === 'file';
  if (headers['access-control-allow-origin'] !== '*' && !isPage) yield 'it has no CORS header';
  if (asked.sending.method === 'HEAD' || status < 200 || status === 204 || status === 304) {
    if (answer.text !== '') yield 'it has a body';
  } else if (status >= 400) yield* errorProblems(asked, answer);
  else yield* successProblems(asked, answer);
}

function* statusProblems({ isDown }: Asked, { status, headers }: Answer): Generator<string> {
  const isOrdinary =
    (status >= 200 && status < 300) || [303, 304].includes(status) || (status >= 400 && status < 500);
  if (isOrdinary) return;
  if (status !== 503) yield `its status is ${status}`;
  else if (!isDown) yield 'it is 503 although nothing is down';
  else if (!/^\d+$/.test(headers['retry-after'] ?? '')) yield '503 without Retry-After';
}

const isJson = ({ headers }: Answer): boolean => /^application\/json\b/.test(headers['content-type'] ?? '');
const isHtml = ({ headers }: Answer): boolean => /^text\/html\b/.test(headers['content-type'] ?? '');

/** Pages say in HTML what went wrong; whatever else refuses, in JSON. */
function* errorProblems({ sending }: Asked, answer: Answer): Generator<string> {
  const isOfPages = /^\/sep24\/(interactive|more_info|assets)\b/i.test(sending.target);
  if (isOfPages && isHtml(answer)) {
    if (!/<h1|<table|<p/.test(answer.text)) yield 'its page says nothing';
    return;
  }
  if (!isJson(answer)) {
    yield `an error of type ${answer.headers['content-type']}`;
    return;
  }
  const error = parse(answer.text)?.['error'];
  if (typeof error !== 'string' || error === '') yield 'it has no error text';
  else if (error.length > 500) yield 'its error text is endless';
}

function* successProblems({ row, sending }: Asked, answer: Answer): Generator<string> {
  if (row === undefined || sending.method === 'OPTIONS' || answer.status === 303) return;
  const type = answer.headers['content-type'] ?? '';
  const wanted = {
    json: /^application\/json\b/,
    page: /^text\/html\b/,
    text: /^text\/plain\b/,
    events: /^text\/event-stream\b/,
    file: /^text\/(css|javascript)\b/,
  };
  if (!wanted[row.answers].test(type)) yield `its type is ${type}`;
  if (row.answers !== 'json') return;
  const body = parse(answer.text);
  if (body === undefined) yield 'it is no JSON object';
  else if ('error' in body) yield 'a success with an error';
}

/** The object that JSON text holds. */
export function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
