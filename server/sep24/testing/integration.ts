import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createIntegrationClient, type IntegrationClient } from '../../../core/integration/client.ts';
import { systemClock } from '../../../core/runtime/clock.ts';

/** A call as the integration got it. */
export interface Call {
  readonly hook: string;
  readonly key: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A business's container on a free port of this machine, and our client of it. */
export interface RunningIntegration {
  readonly client: IntegrationClient;
  readonly calls: readonly Call[];
  close(): Promise<void>;
}

const open = new Set<RunningIntegration>();

/** Closes every integration that is still open: for `afterAll`. */
export async function closeIntegrations(): Promise<void> {
  await Promise.all([...open].map((one) => one.close()));
}

type Hooks = Readonly<Record<string, (body: Call['body']) => object>>;

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
}

/** Serves the hooks; one that throws answers 500. */
export async function runIntegration(hooks: Hooks): Promise<RunningIntegration> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const serve = async (): Promise<void> => {
      if (request.method === 'GET')
        return answer(200, { name: 'bank', version: '1', hooks: Object.keys(hooks) });
      const body = await readJson(request);
      const hook = String(body['hook']);
      calls.push({ hook, key: request.headers['idempotency-key'] as string | undefined, body });
      answer(200, hooks[hook]?.(body) ?? {});
    };
    serve().catch(() => answer(500, { error: 'out of order' }));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const client = createIntegrationClient({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key: `whsec_${randomBytes(32).toString('base64')}`,
    clock: systemClock,
    attempts: 1,
    deadlineMs: 2_000,
  });
  const running: RunningIntegration = {
    client,
    calls,
    async close() {
      open.delete(running);
      await client.close();
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
  open.add(running);
  return running;
}
