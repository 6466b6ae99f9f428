import { testStatus } from '../../../core/status/testing/status.ts';
import type { AnchorStatus } from '../../../core/status/document.ts';
import { bent, contextOf } from '../../resources/testing/context.ts';
import { NO_CAUSES } from '../causes.ts';
import type { Rollout } from '../child-object.ts';
import { findingsOf, type Knowledge } from '../findings.ts';
import { planAnchor, type Plan } from '../plan.ts';
import type { ConditionType, Finding } from '../reasons.ts';

/** What is known of an Anchor that is well, to be bent. */
export const NOW_MS = 1_800_000_000_000;
export const ROLLED_OUT: Rollout = {
  wanted: 2,
  replicas: 2,
  ready: 2,
  hasBegun: true,
  isComplete: true,
  isStuck: false,
};
export const rollout = (change: Partial<Rollout>): Rollout => ({ ...ROLLED_OUT, ...change });

const context = contextOf(bent({ tls: { issuerRef: { name: 'letsencrypt' } } }));
export const plan: Plan = {
  ...planAnchor(context, { children: [], isSynced: true, isDatabaseReady: true, suspendWorkers: false }),
  held: [],
  schema: 'current',
};
export const reading = (change: Partial<AnchorStatus> = {}) => ({
  atMs: 0,
  status: testStatus(change, NOW_MS - 5_000),
});
const HEALTHY: Knowledge = {
  context,
  plan,
  server: ROLLED_OUT,
  watcher: ROLLED_OUT,
  integration: ROLLED_OUT,
  isDatabaseReady: true,
  certificate: { state: 'issued' },
  causes: NO_CAUSES,
  reading: reading(),
  nowMs: NOW_MS,
};

export const allFindings = (change: Partial<Knowledge> = {}): readonly Finding[] =>
  findingsOf({ ...HEALTHY, ...change });

/** The one finding of a type. */
export function findingOf(type: ConditionType, change: Partial<Knowledge> = {}): Finding {
  const [found, ...more] = allFindings(change).filter((one) => one.type === type);
  if (!found || more.length > 0) throw new Error(`${type} is told ${found ? 'twice' : 'not at all'}`);
  return found;
}
