import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { INTEGRATION_REF } from '../cli/dev/keys.ts';
import { createIdempotencyStore, openDatabase, serveIntegration } from '../integration/sdk.ts';
import type { Premises } from '../test/support/premises.ts';

export interface QuickIntegration extends AsyncDisposable {
  /** The premises' configuration with this integration in place of the bank. */
  readonly configFile: string;
  /** How many deposits it was asked about. */
  readonly asked: () => number;
}

/** An integration that never has news and says so at once: what is left is our own time. The example bank books what it is asked. */
export async function startQuickIntegration({ folder, configFile }: Premises): Promise<QuickIntegration> {
  const { name, key } = INTEGRATION_REF;
  const database = openDatabase(':memory:');
  let asked = 0;
  const served = await serveIntegration({
    name: 'quick',
    version: '1',
    key: readFileSync(path.join(folder, 'secrets', name, key), 'utf8').trim(),
    port: 0,
    host: '127.0.0.1',
    hooks: {
      'deposits/poll': ({ deposits }) => {
        asked += deposits.length;
        return { results: [] };
      },
    },
    store: createIdempotencyStore(database),
    onCall: () => {},
  });
  const config = parse(readFileSync(configFile, 'utf8')) as { spec: { integration: { url: string } } };
  config.spec.integration.url = `http://127.0.0.1:${served.port}`;
  const changed = path.join(folder, 'quick.yaml');
  writeFileSync(changed, stringify(config));
  return {
    configFile: changed,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      await served.close(100);
      database.close();
    },
  };
}
