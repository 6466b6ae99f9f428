import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { Keypair } from '@stellar/stellar-sdk';
import {
  CORS,
  html,
  refused,
  type Fault,
  type TinyAnswer,
  type TinyContext,
  type TinyRequest,
} from './tiny-http.ts';
import { TinyLogin } from './tiny-login.ts';
import { TinyTransfers } from './tiny-transfers.ts';

/**
 * A whole anchor in memory that keeps every rule, made to be broken in one place at a time. It shares no code with the real
 * one: what both would get wrong, a test of the checker must not bless.
 */
export interface TinyAnchor {
  /** localhost:PORT */
  readonly homeDomain: string;
  close(): Promise<void>;
}

export const PASSPHRASE = 'A tiny network for the tests of capstan check';
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type, X-Client-Name, X-Client-Version',
};

export async function startTinyAnchor(
  tls: { readonly key: string; readonly cert: string },
  fault: Fault = {},
): Promise<TinyAnchor> {
  let route: (request: TinyRequest) => TinyAnswer = () => refused('starting', 503);
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming);
    const answer = fault.before?.(request) ?? route(request);
    const { status, headers, body } = fault.answer?.(answer, request) ?? answer;
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const server = createServer(tls, (incoming, response) => {
    void serve(incoming, response);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const address = server.address();
  const homeDomain = `localhost:${typeof address === 'object' && address !== null ? address.port : 0}`;
  route = createRoutes({
    origin: `https://${homeDomain}`,
    homeDomain,
    passphrase: PASSPHRASE,
    signingKey: Keypair.random(),
    issuer: Keypair.random().publicKey(),
    fault,
  });
  return {
    homeDomain,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function createRoutes(context: TinyContext): (request: TinyRequest) => TinyAnswer {
  const login = new TinyLogin(context);
  const transfers = new TinyTransfers(context, login);
  return (request) => {
    const { method, path } = request;
    if (method === 'OPTIONS') return { status: 204, headers: { ...CORS, ...PREFLIGHT }, body: '' };
    if (path === '/.well-known/stellar.toml')
      return { status: 200, headers: { ...CORS, 'content-type': 'text/plain' }, body: tomlOf(context) };
    if (path === '/auth') return method === 'GET' ? login.challenge(request) : login.token(request);
    if (path.startsWith('/pages/')) return html();
    return transfers.route(request);
  };
}

function tomlOf({ origin, passphrase, signingKey, issuer }: TinyContext): string {
  return [
    `NETWORK_PASSPHRASE = "${passphrase}"`,
    `SIGNING_KEY = "${signingKey.publicKey()}"`,
    `WEB_AUTH_ENDPOINT = "${origin}/auth"`,
    `TRANSFER_SERVER_SEP0024 = "${origin}/sep24"`,
    `ACCOUNTS = ["${issuer}"]`,
    '[DOCUMENTATION]',
    'ORG_NAME = "Tiny"',
    '[[CURRENCIES]]',
    'code = "TINY"',
    `issuer = "${issuer}"`,
    'status = "test"',
    'display_decimals = 2',
    'desc = "A tiny asset"',
    'is_asset_anchored = true',
    'anchor_asset_type = "fiat"',
    'is_unlimited = true',
  ].join('\n');
}

async function readRequest(incoming: IncomingMessage): Promise<TinyRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = new URL(incoming.url ?? '/', 'https://localhost');
  const type = incoming.headers['content-type'] ?? '';
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body: await readBody(Buffer.concat(chunks), type),
  };
}

async function readBody(bytes: Buffer, type: string): Promise<TinyRequest['body']> {
  if (bytes.length === 0) return {};
  try {
    if (type.startsWith('application/json')) return JSON.parse(bytes.toString()) as Record<string, unknown>;
    const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
    return Object.fromEntries(form);
  } catch {
    return undefined;
  }
}
