import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { z } from 'zod';
import { HttpProblem, pathOf, readBody, sendJson } from '../../integration/sdk.ts';
import { BankError, type Books } from './books.ts';
import { renderPage, STYLE } from './page.ts';
import type { Deposit } from './rows.ts';

export interface WebOptions {
  readonly books: Books;
  readonly settle: () => void;
  readonly now: () => number;
  readonly password?: string;
}

const BODY_LIMIT_BYTES = 16 * 1024;
const COOKIE = 'bank_session';
const ACTION = /^\/bank\/(api\/)?deposits\/([^/]{1,200})\/(receive|hold|refuse|approve)$/;
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

const input = z.object({
  amount: z.string().trim().max(40).optional(),
  reference: z
    .string()
    .regex(/^[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?$/)
    .optional(),
  reason: z.string().trim().max(200).optional(),
});
type Input = z.infer<typeof input>;
type Verb = 'receive' | 'hold' | 'refuse' | 'approve';

/** The page, and the same as JSON under /bank/api. */
export function createWeb(options: WebOptions): RequestListener {
  const secret = randomBytes(32);
  return (request, response) => {
    route(options, secret, request, response).catch((error: unknown) => fail(response, error));
  };
}

async function route(
  options: WebOptions,
  secret: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = pathOf(request);
  if (!isAdmitted(request, options.password)) {
    response.setHeader('www-authenticate', 'Basic realm="Example Bank", charset="UTF-8"');
    throw new HttpProblem(401, 'Say the password of the bank.');
  }
  options.settle();
  const action = ACTION.exec(path);
  if (request.method === 'POST' && action) {
    const [, api, id = '', verb = ''] = action;
    const act = (given: Input): Deposit => decide(options.books, decodeURIComponent(id), verb as Verb, given);
    if (api) sendJson(response, 200, JSON.stringify(act(await readApiInput(request))));
    else await submit(options, secret, act, request, response);
  } else if (request.method === 'GET' && path.startsWith('/bank/api/')) {
    sendJson(response, 200, JSON.stringify(list(options.books, path)));
  } else if (request.method === 'GET') show(options, secret, path, request, response);
  else throw new HttpProblem(404, 'There is nothing here.');
}

function decide(books: Books, id: string, verb: Verb, { amount, reference, reason }: Input): Deposit {
  if (verb === 'receive') return books.receive(id, { amount: amount || undefined, reference });
  const review = { hold: 'held', refuse: 'refused', approve: 'approved' } as const;
  return books.review(id, review[verb], reason || undefined);
}

function list(books: Books, path: string): object {
  if (path === '/bank/api/deposits') return { deposits: books.deposits() };
  if (path === '/bank/api/payouts') return { payouts: books.payouts() };
  if (path === '/bank/api/refunds') return { refunds: books.refunds() };
  if (path === '/bank/api/authorizations') return { authorizations: books.authorizations() };
  const id = /^\/bank\/api\/deposits\/([^/]{1,200})$/.exec(path)?.[1];
  if (id !== undefined) return books.deposit(decodeURIComponent(id));
  throw new HttpProblem(404, 'There is nothing here.');
}

/** JSON only, which a form of another site cannot send, and nothing that a browser calls cross-site. */
async function readApiInput(request: IncomingMessage): Promise<Input> {
  refuseOtherSites(request);
  const body = await readBody(request, BODY_LIMIT_BYTES);
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(?:;|$)/i.test(type)) throw new HttpProblem(415, 'Send application/json.');
  try {
    return input.parse(body.length === 0 ? {} : JSON.parse(body.toString()));
  } catch {
    throw new HttpProblem(400, 'Send a JSON object with amount, reference or reason as strings.');
  }
}

function refuseOtherSites(request: IncomingMessage): void {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new HttpProblem(403, 'Another site may not decide for the bank.');
  }
}

async function submit(
  options: WebOptions,
  secret: Buffer,
  act: (given: Input) => Deposit,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  refuseOtherSites(request);
  const form = new URLSearchParams((await readBody(request, BODY_LIMIT_BYTES)).toString());
  const session = sessionOf(request);
  if (session === undefined || !isEqual(form.get('token') ?? '', tokenOf(secret, session))) {
    throw new HttpProblem(403, 'The form is too old. Go back, refresh the page and press the button again.');
  }
  const given = input.safeParse(Object.fromEntries(form));
  if (!given.success) throw new HttpProblem(400, 'The form has a value that is too long.');
  try {
    act(given.data);
    response.writeHead(303, { location: '/bank/', 'cache-control': 'no-store' }).end();
  } catch (error) {
    if (!(error instanceof BankError)) throw error;
    sendPage(response, error.status, page(options, tokenOf(secret, session), error.message));
  }
}

function show(
  options: WebOptions,
  secret: Buffer,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (path === '/bank/style.css')
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/css; charset=utf-8' }).end(STYLE);
  else if (path === '/bank/') {
    const session = sessionOf(request) ?? randomBytes(18).toString('base64url');
    response.setHeader('set-cookie', `${COOKIE}=${session}; Path=/bank/; HttpOnly; SameSite=Strict`);
    sendPage(response, 200, page(options, tokenOf(secret, session)));
  } else if (path === '/' || path === '/bank') response.writeHead(303, { location: '/bank/' }).end();
  else throw new HttpProblem(404, 'There is nothing here.');
}

function page({ books, now }: WebOptions, token: string, notice?: string): string {
  return renderPage({
    deposits: books.deposits(),
    payouts: books.payouts(),
    refunds: books.refunds(),
    customerOf: ({ account, memo }) => books.customer(account, memo),
    token,
    notice,
    now: now(),
  });
}

function sendPage(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/html; charset=utf-8' }).end(text);
}

function fail(response: ServerResponse, error: unknown): void {
  if (error instanceof HttpProblem || error instanceof BankError) {
    sendJson(response, error.status, JSON.stringify({ error: error.message }));
    return;
  }
  if (error instanceof URIError)
    return sendJson(response, 400, JSON.stringify({ error: 'The URL cannot be read.' }));
  process.stderr.write(
    `${JSON.stringify({ level: 'error', error: error instanceof Error ? error.stack : String(error) })}\n`,
  );
  sendJson(response, 500, JSON.stringify({ error: 'The bank failed; see its log.' }));
}

function sessionOf(request: IncomingMessage): string | undefined {
  return new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]{24})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1];
}

function tokenOf(secret: Buffer, session: string): string {
  return createHmac('sha256', secret).update(session).digest('base64url');
}

function isAdmitted(request: IncomingMessage, password: string | undefined): boolean {
  if (password === undefined) return true;
  const given = /^Basic ([\w+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return isEqual(Buffer.from(given, 'base64').toString(), `bank:${password}`);
}

/** In a time that tells nothing of where the two differ. */
function isEqual(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
