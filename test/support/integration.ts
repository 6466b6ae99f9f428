import {
  createIntegrationClient,
  type IntegrationClient,
  type IntegrationClientOptions,
} from '../../core/integration/client.ts';
import { hookNames } from '../../core/integration/contract.ts';
import {
  declaring,
  listen,
  newKey,
  type Responder,
  type SeenRequest,
} from '../../core/integration/testing/loopback.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import {
  createIdempotencyStore,
  openDatabase,
  serveIntegration,
  type HookHandlers,
} from '../../integration/sdk.ts';

export interface TestIntegration {
  readonly client: IntegrationClient;
  close(): Promise<void>;
}

/** A real integration over HTTP, whose idempotency store lasts as long as it does. */
export async function startIntegration(hooks: HookHandlers): Promise<TestIntegration> {
  const key = newKey();
  const database = openDatabase(':memory:');
  const store = createIdempotencyStore(database);
  const served = await serveIntegration({
    name: 'test bank',
    version: '1',
    key,
    port: 0,
    host: '127.0.0.1',
    hooks,
    store,
    onCall: () => {},
  });
  const client = clientOf(`http://127.0.0.1:${served.port}`, { key });
  return {
    client,
    close: async () => {
      await client.close();
      await served.close(100);
      database.close();
    },
  };
}

export interface LyingIntegration extends TestIntegration {
  readonly requests: readonly SeenRequest[];
}

/** A server that declares every hook (or those given) and answers them as it likes. */
export async function startLiar(
  respond: Responder,
  options: Partial<IntegrationClientOptions> & { readonly hooks?: readonly string[] } = {},
): Promise<LyingIntegration> {
  const { hooks = hookNames, ...rest } = options;
  const server = await listen(declaring(hooks, respond));
  const client = clientOf(server.url, { key: newKey(), ...rest });
  return {
    client,
    requests: server.requests,
    close: async () => {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function clientOf(
  baseUrl: string,
  options: Partial<IntegrationClientOptions> & { readonly key: string | readonly string[] },
): IntegrationClient {
  return createIntegrationClient({ baseUrl, clock: systemClock, deadlineMs: 3_000, ...options });
}
