import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { nameOfCommit, nameOfRequest, writesOf } from './names.ts';

/**
 * Preloaded (`node --import`) into the anchor's processes by the crash-point test; production code knows nothing of it.
 *
 * Watches the two ways in which a process has an effect: what it commits to the database, and what it sends over HTTP. Just
 * before each effect, and just after it (done, but this process has not heard so yet), the process kills itself with
 * SIGKILL, unless CRASH_FILE says that this point has had its CRASH_TIMES crashes already. A point's name is its role, the
 * effect, and on which side of it.
 */
const ROLES = new Set(['watch-transactions', 'poll-deposits', 'check-trustlines']);
/** Of support staff: they end by themselves, and whoever ran one that was killed runs it again. */
const COMMANDS = new Set(['receipts', 'reconcile']);
const role = process.argv[2] ?? '';
const { CRASH_FILE: file = '', CRASH_TIMES: times = '1' } = process.env;
const isOurs = process.argv[1]?.endsWith(path.join('cli', 'main.ts')) === true;

/** Not before the parent knows that it is ready: a process that ends earlier counts as one that cannot start. */
let isArmed = COMMANDS.has(role);

function reach(side: 'before' | 'after', effect: string): void {
  if (!isArmed) return;
  const point = `${role}: ${side} ${effect}`;
  const crashed = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line === point).length;
  if (crashed >= Number(times)) return;
  appendFileSync(file, `${point}\n`);
  process.kill(process.pid, 'SIGKILL');
}

if ((ROLES.has(role) || isArmed) && isOurs && file !== '') {
  armOnceReady();
  watchDatabase();
  watchRequests();
}

function armOnceReady(): void {
  const send = process.send?.bind(process);
  if (!send) return;
  process.send = (message: unknown) =>
    send(message, undefined, undefined, () => {
      isArmed = true;
    });
}

type Query = (this: pg.Client, statement: unknown, ...rest: unknown[]) => unknown;

function watchDatabase(): void {
  /** What the open database transaction of a connection has written so far. */
  const open = new WeakMap<object, string[]>();
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const { query } = prototype;
  prototype.query = function watched(statement, ...rest) {
    const run = (): unknown => query.call(this, statement, ...rest);
    const text = textOf(statement);
    const word = /^\s*(\w+)/.exec(text)?.[1]?.toLowerCase();
    if (word === 'begin' || word === 'start') open.set(this, []);
    const written = open.get(this);
    if (word === 'rollback') open.delete(this);
    if (word === 'commit' && written !== undefined) {
      open.delete(this);
      return written.length === 0 ? run() : around(`commit ${nameOfCommit(written)}`, run);
    }
    const writes = writesOf(text);
    if (writes.length === 0) return run();
    if (written === undefined) return around(`commit ${nameOfCommit(writes)}`, run);
    written.push(...writes);
    return run();
  };
}

function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement;
  const text =
    typeof statement === 'object' && statement !== null && 'text' in statement ? statement.text : '';
  return typeof text === 'string' ? text : '';
}

function around(effect: string, run: () => unknown): unknown {
  reach('before', effect);
  const running = run();
  if (!(running instanceof Promise)) throw new Error(`${effect}: a query without a promise`);
  return running.then((answer: unknown) => {
    reach('after', effect);
    return answer;
  });
}

interface UndiciMessage {
  readonly request: { readonly method: string; readonly path: string };
}

/** Undici tells of its requests by itself; listeners run before it goes on. Only what may change something is an effect. */
function watchRequests(): void {
  const on = (channel: string, side: 'before' | 'after'): void =>
    subscribe(channel, (message) => {
      const { request } = message as UndiciMessage;
      if (request.method === 'POST') reach(side, nameOfRequest(request));
    });
  on('undici:request:create', 'before');
  on('undici:request:headers', 'after');
}
