import { randomBytes } from 'node:crypto';
import { openDatabase } from '../../core/database/database.ts';
import { createPublicFetch } from '../../core/http/public-fetch.ts';
import { generateSeed, signerFromSeed } from '../../core/keys/ed25519.ts';
import type { PaymentContext } from '../../core/payments/context.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import {
  watchTransactions,
  type WatcherContext,
} from '../../workers/watch-transactions/watch-transactions.ts';
import type { TestIntegration } from './integration.ts';
import type { TestLedger } from './ledger.ts';

export interface TestWatcher {
  /** Resolves once it has ended; may be called again. */
  readonly stop: () => Promise<void>;
}

/** A watcher with connections of its own, as a process would have. */
export function startWatcher(
  base: PaymentContext,
  on: {
    readonly databaseUrl: string;
    readonly ledger: TestLedger;
    readonly bank: TestIntegration;
    /** Its name in leases; default: a random one. */
    readonly holder?: string;
  },
): TestWatcher {
  const holder = on.holder ?? randomBytes(4).toString('hex');
  const database = openDatabase({ url: on.databaseUrl, applicationName: holder });
  const horizon = on.ledger.client({ passphrase: base.anchor.network.passphrase });
  const context: WatcherContext = {
    ...base,
    clock: systemClock,
    database,
    horizon,
    integration: on.bank.client,
    holder,
    wallets: {
      signer: signerFromSeed(generateSeed(randomBytes)),
      publicFetch: createPublicFetch(),
      moreInfo: () => 'https://anchor.example/more',
    },
  };
  const ending = new AbortController();
  const running = watchTransactions(context, ending.signal);
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      ending.abort();
      await running;
      await horizon.close();
      await database.destroy();
    })());
  return { stop };
}
