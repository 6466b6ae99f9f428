import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { hooks as table, type HookName } from '../../core/integration/contract.ts';
import { faultOf } from './hooks.ts';
import type { Check, Probe, ProbeAnswer, Report } from './probe.ts';
import { bodyOf, samples } from './samples.ts';

const ADVICE =
  'Keep each idempotency key with its answer (a unique constraint in your database), before and after the effect; answer a known key from there. Else a payout is made twice when an answer gets lost.';
/** Refusing the second of two calls at the same time is as good as answering both. */
const BUSY = new Set([409, 425, 429, 503]);

/** The same key is the same effect: one after the other, and both at once. */
export const checkEffects: Check = async (probe, hooks, record) => {
  for (const hook of hooks.filter((one) => table[one].effect)) {
    await checkTwice(probe, hook, record);
    await checkAtOnce(probe, hook, record);
  }
};

async function checkTwice(probe: Probe, hook: HookName, record: Report): Promise<void> {
  const name = `${hook} called twice with one idempotency key gives one answer`;
  const call = sameCall(hook);
  const first = await probe.send(call);
  const second = await probe.send(call);
  judge({ name, hook, answers: [first, second] }, record);
}

async function checkAtOnce(probe: Probe, hook: HookName, record: Report): Promise<void> {
  const name = `${hook} called twice at once with one idempotency key gives one answer`;
  const call = sameCall(hook);
  const both = await Promise.all([probe.send(call), probe.send(call)]);
  const settled = await probe.send(call);
  const answers = [...both.filter(({ status }) => !BUSY.has(status ?? 0)), settled];
  judge({ name, hook, answers }, record);
}

function judge(
  { name, hook, answers }: { name: string; hook: HookName; answers: readonly ProbeAnswer[] },
  record: Report,
): void {
  const fault = answers.map(faultOf).find((one) => one !== undefined);
  if (fault !== undefined) record({ name, hook, status: 'fail', detail: fault });
  else if (answers.some(isUndone)) {
    record({
      name,
      hook,
      status: 'skip',
      detail: 'It answered that nothing was done; that need not be remembered.',
    });
  } else if (answers.every(({ json }) => isDeepStrictEqual(json, answers[0]?.json)))
    record({ name, hook, status: 'ok' });
  else record({ name, hook, status: 'fail', detail: `The answers differ. ${ADVICE}` });
}

function sameCall(hook: HookName): Parameters<Probe['send']>[0] {
  return { hook, body: bodyOf(hook, samples[hook]()), id: `check_${randomUUID()}`, hasIdempotencyKey: true };
}

function isUndone({ json }: ProbeAnswer): boolean {
  const outcome = typeof json === 'object' && json !== null && 'outcome' in json ? json.outcome : undefined;
  return outcome === 'retry' || outcome === 'blocked' || outcome === 'invalid';
}
