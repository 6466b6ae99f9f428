import { randomBytes } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IntegrationTransaction } from '../contract.ts';

/** What the tests of the contract share: keys made at run time, real servers on loopback, a transaction. */

export const newKey = (): string => `whsec_${randomBytes(32).toString('base64')}`;

export interface Loopback extends AsyncDisposable {
  readonly url: string;
  readonly server: Server;
  readonly requests: SeenRequest[];
}

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Responder = (seen: SeenRequest, response: ServerResponse, request: IncomingMessage) => void;

/** Serves `respond` on a free port and keeps what was asked. */
export async function listen(respond: Responder): Promise<Loopback> {
  const requests: SeenRequest[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const seen = { method, url, headers, body: Buffer.concat(chunks).toString() };
      requests.push(seen);
      respond(seen, response, request);
    });
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Answers the declaration with `hooks`, and anything else by `respond`. */
export function declaring(hooks: readonly string[], respond: Responder): Responder {
  return (seen, response, request) => {
    if (seen.method === 'GET') answerJson(response, { name: 'test', version: '1', hooks });
    else respond(seen, response, request);
  };
}

export function aTransaction(changes: Partial<IntegrationTransaction> = {}): IntegrationTransaction {
  return {
    id: 't-1',
    kind: 'deposit',
    status: 'pending_user_transfer_start',
    asset: { code: 'SRT', issuer: `G${'A'.repeat(55)}` },
    amountExpected: '100',
    account: `G${'B'.repeat(55)}`,
    createdAt: '2026-01-31T12:00:00Z',
    lang: 'en',
    ...changes,
  };
}
