import type { AnchorStatus } from '../../../core/status/document.ts';
import { TEST_PLATFORM } from '../../resources/testing/context.ts';

/** What the private status of a server says that is well and has no money in flight. `closedAtMs`: of the last ledger. */
export function testStatus(change: Partial<AnchorStatus> = {}, closedAtMs = 0): AnchorStatus {
  const { version, schema } = TEST_PLATFORM;
  return {
    version,
    anchor: 'harbor',
    ready: { ok: true, reasons: [] },
    schema: { found: schema, needed: schema },
    suspensions: {},
    frozen: {},
    money: {
      transfersOpen: 0,
      submissionsPending: 0,
      transactionsFunded: 0,
      tasksOpen: 0,
      tasksGivenUp: 0,
      receiptsUnmatched: 0,
      attention: 0,
    },
    integration: { circuit: 'closed', running: 0, waiting: 0 },
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
