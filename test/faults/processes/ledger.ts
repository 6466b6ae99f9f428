import { startLedger } from '../../../ledger/local-ledger.ts';

/** The local ledger with a second Horizon, in a process of its own. LEDGER_CLOSE_MS: from one ledger to the next. */
const ledger = await startLedger({
  port: 0,
  secondPort: 0,
  closeIntervalMs: Number(process.env['LEDGER_CLOSE_MS'] ?? 1_000),
});
process.send?.({
  ready: {
    url: ledger.url,
    secondUrl: ledger.secondUrl,
    passphrase: ledger.passphrase,
    rootSecret: ledger.rootSecret,
  },
});
process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
