import type { Fault, Hit } from './inject.ts';
import type { InjectedKind } from './kinds.ts';
import { sleep } from './stellar.ts';

/** A vote of the network for more than the anchor pays (spec: maxFee 0.01 XLM). */
const ABOVE_CAP_STROOPS = 150_000;
const FULL_LEDGER_OPERATIONS = 1_000;
const LISTENERS = ['main', 'second'] as const;

const listenerOf = ({ fault }: Hit): string => (fault.pick < 0.5 ? LISTENERS[0] : LISTENERS[1]);

type LedgerKind = Extract<
  InjectedKind,
  | 'timeoutApplied'
  | 'timeoutNotApplied'
  | 'answersLostWhileFull'
  | 'heldReplies'
  | 'rateLimit'
  | 'cutStreams'
  | 'stallStreams'
  | 'laggingHorizon'
  | 'surge'
  | 'skipLedgers'
>;

/** What the ledger and its Horizons do wrong; it tells itself whether that hit anybody (ledger/README.md). */
export const LEDGER_FAULTS: Readonly<Record<LedgerKind, Fault>> = {
  timeoutApplied: (hit) =>
    misbehave(hit, 'timeoutAfterApplying', { count: 1 + Math.floor(hit.fault.degree * 4) }),
  timeoutNotApplied: (hit) =>
    misbehave(hit, 'timeoutWithoutApplying', { count: 1 + Math.floor(hit.fault.degree * 4) }),
  answersLostWhileFull: async (hit) => {
    const { durationMs } = hit.fault;
    await hit.world.ledger.misbehave({
      surge: { bidStroops: 1_000, operations: FULL_LEDGER_OPERATIONS - 1, durationMs },
    });
    return misbehave(hit, 'hangSubmissions', { apply: true });
  },
  heldReplies: (hit) => {
    const { degree, durationMs } = hit.fault;
    return degree < 0.5
      ? misbehave(hit, 'delayReplies', { milliseconds: durationMs, durationMs: 3_000, only: 'submissions' })
      : misbehave(hit, 'delayReplies', { milliseconds: 300 + Math.floor(degree * 2_000), durationMs: 6_000 });
  },
  rateLimit: (hit) => misbehave(hit, 'rateLimit', { listener: listenerOf(hit), retryAfterSeconds: 1 }),
  cutStreams: (hit) => misbehave(hit, 'cutStreams', { afterRecords: Math.floor(hit.fault.degree * 3) }),
  // On both Horizons: streams are on the first unless that failed when they were opened, so that one of them may have none.
  stallStreams: (hit) => misbehave(hit, 'stallStreams', {}),
  laggingHorizon: (hit) =>
    misbehave(hit, 'lagReads', { listener: listenerOf(hit), ledgers: 2 + Math.floor(hit.fault.degree * 10) }),
  surge: (hit) => {
    const bidStroops =
      hit.fault.degree > 0.7 ? ABOVE_CAP_STROOPS : 200 + Math.floor(hit.fault.degree * 20_000);
    return misbehave(hit, 'surge', { bidStroops });
  },
  skipLedgers: (hit) => misbehave(hit, 'skipCloses', {}),
};

async function misbehave(
  { world, fault }: Hit,
  name: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const { ledger } = world;
  const change = { durationMs: fault.durationMs, ...fields };
  const before = await ledger.met(name);
  await ledger.misbehave({ [name]: change });
  await sleep(change.durationMs);
  return (await ledger.met(name)) > before;
}

export const NO_LEDGER_FAULT = {
  timeoutAfterApplying: null,
  timeoutWithoutApplying: null,
  hangSubmissions: null,
  delayReplies: null,
  rateLimit: null,
  cutStreams: null,
  stallStreams: null,
  lagReads: null,
  surge: null,
  skipCloses: null,
};
