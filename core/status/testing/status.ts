import { LATEST_MIGRATION } from '../../database/migrations/names.ts';
import type { AnchorStatus } from '../document.ts';

/** What the server knows by itself: it is well and has no money in flight. The reports of the watcher are not in it. */
export function ownStatus(): AnchorStatus {
  return {
    version: '1.2.3',
    anchor: 'harbor',
    ready: { ok: true, reasons: [] },
    schema: { found: LATEST_MIGRATION, needed: LATEST_MIGRATION },
    suspensions: {},
    frozen: {},
    money: {
      transfersOpen: 0,
      submissionsPending: 0,
      transactionsFunded: 0,
      tasksOpen: 0,
      tasksGivenUp: 0,
      receiptsAlarming: 0,
      attention: 0,
    },
    integration: { circuit: 'closed', running: 0, waiting: 0 },
  };
}

/** What the private status of such a server says, the reports included. `closedAtMs`: of the last ledger. */
export function testStatus(change: Partial<AnchorStatus> = {}, closedAtMs = 0): AnchorStatus {
  return {
    ...ownStatus(),
    watcher: { ageSeconds: 1, holder: 'watcher-0', ledger: { sequence: 1_000, closedAtMs }, accounts: {} },
    preflight: {
      ageSeconds: 30,
      assets: [],
      integration: { name: 'bank', version: '1', hooks: [], unknownHooks: [], missing: [] },
    },
    keys: { ageSeconds: 30, checks: [] },
    ...change,
  };
}
