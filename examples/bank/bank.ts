import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createIdempotencyStore, openDatabase, serveIntegration } from '../../integration/sdk.ts';
import { Books } from './books.ts';
import { ConfigError, readConfig, type BankConfig } from './config.ts';
import { createHooks } from './hooks.ts';
import { createWeb } from './web.ts';

/** A complete integration: a bank on one SQLite file, with a page on which a person plays it. */
async function run({
  port,
  host,
  key,
  dataFolder,
  autoReceiveMs,
  payoutDelayMs,
  password,
}: BankConfig): Promise<void> {
  mkdirSync(dataFolder, { recursive: true });
  const database = openDatabase(join(dataFolder, 'bank.sqlite'));
  const now = Date.now;
  const books = new Books(database, now);
  const settle = (): void => {
    if (autoReceiveMs !== undefined) books.receiveDue(now() - autoReceiveMs);
  };
  const integration = await serveIntegration({
    name: 'Example Bank',
    version: '1.0.0',
    key,
    port,
    ...(host === undefined ? {} : { host }),
    store: createIdempotencyStore(database),
    hooks: createHooks({ books, payoutDelayMs, settle, now }),
    other: createWeb({ books, settle, now, ...(password === undefined ? {} : { password }) }),
  });
  process.stdout.write(`The bank is open: http://localhost:${integration.port}/bank/\n`);
  const stop = async (): Promise<void> => {
    await integration.close();
    database.close();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
}

const EXIT_CONFIGURATION = 78;
try {
  await run(readConfig(process.env));
} catch (error) {
  const isExpected = error instanceof ConfigError || isBadKey(error);
  const detail = isExpected ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${detail}\n`);
  process.exitCode = isExpected ? EXIT_CONFIGURATION : 1;
}

function isBadKey(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'invalid_integration_key';
}
