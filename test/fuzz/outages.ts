import { setTimeout as sleep } from 'node:timers/promises';
import type { FuzzIntegration } from './integration.ts';
import type { FuzzLedger, LedgerFault } from './ledger.ts';

export interface Outage {
  readonly name: string;
  start(): Promise<void>;
  end(): Promise<void>;
}

/**
 * Longer than the server holds an outage against the ledger (its Retry-After) or the integration: a probe that began in it may
 * hang until its deadline, and opens the circuit once more (anchor.ts).
 */
const ECHO_MS = { ledger: 1_100, integration: 2_000 };

/** What can be down, one after the other. */
export function outagesOf(ledger: FuzzLedger, integration: FuzzIntegration): readonly Outage[] {
  const ofLedger = (fault: LedgerFault): Outage => ({
    name: `ledger: ${fault}`,
    start: async () => ledger.misbehave(fault),
    end: async () => {
      ledger.misbehave(null);
      await sleep(ECHO_MS.ledger);
    },
  });
  const ofIntegration = (fault: 'closed' | 'hang'): Outage => ({
    name: `integration: ${fault}`,
    start: () => integration.fail(fault),
    end: async () => {
      await integration.fail(null);
      await sleep(ECHO_MS.integration);
    },
  });
  return [
    ofIntegration('closed'),
    ofLedger('unavailable'),
    ofIntegration('hang'),
    ofLedger('notJson'),
    ofLedger('rateLimit'),
    ofLedger('hang'),
  ];
}
