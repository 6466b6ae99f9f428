import { startLedger } from '../../ledger/local-ledger.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { createLog } from '../../core/runtime/log.ts';
import { createShutdown } from '../../core/runtime/shutdown.ts';
import { sayReady } from './say-ready.ts';

export interface LedgerRoleOptions {
  readonly port: number;
  readonly host?: string;
  readonly closeInterval: number;
  readonly data?: string;
}

/** `capstan ledger`: runs until it is told to stop. */
export async function runLedger(options: LedgerRoleOptions): Promise<number> {
  const log = createLog({ name: 'ledger', level: 'info' });
  const shutdown = createShutdown({ process, clock: systemClock, log });
  const ledger = await startLedger({
    port: options.port,
    closeIntervalMs: options.closeInterval,
    ...(options.host !== undefined && { host: options.host }),
    ...(options.data !== undefined && { dataDir: options.data }),
    log: (message, detail) => log.debug(detail ?? {}, message),
  });
  shutdown.add({ name: 'ledger', timeoutMs: 3_000, stop: () => ledger.close() });
  log.info(
    { url: ledger.url, passphrase: ledger.passphrase, close_interval_ms: options.closeInterval },
    'the ledger runs',
  );
  sayReady({ url: ledger.url });
  return shutdown.finished;
}
