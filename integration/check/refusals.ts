import type { HookName } from '../../core/integration/contract.ts';
import { hooks as table } from '../../core/integration/contract.ts';
import type { Check, Probe, ProbeAnswer, ProbeCall, Report } from './probe.ts';
import { bodyOf, samples } from './samples.ts';

interface Refusal {
  readonly name: string;
  readonly call: (hook: HookName) => ProbeCall;
  readonly isRefused: (status: number) => boolean;
  readonly advice: string;
}

const good = (hook: HookName): ProbeCall => ({ hook, body: bodyOf(hook, samples[hook]()) });
const is401 = (status: number): boolean => status === 401;
const is4xx = (status: number): boolean => status >= 400 && status < 500;
const VERIFY = 'Verify every call by a library of Standard Webhooks before anything else, and answer 401.';

const refusals: readonly Refusal[] = [
  {
    name: 'an unsigned call is refused with 401',
    call: (hook) => ({ ...good(hook), signature: 'none' }),
    isRefused: is401,
    advice: VERIFY,
  },
  {
    name: 'a call signed with another key is refused with 401',
    call: (hook) => ({ ...good(hook), signature: 'other key' }),
    isRefused: is401,
    advice: VERIFY,
  },
  {
    name: 'a call whose body was changed after signing is refused with 401',
    call: (hook) => ({ ...good(hook), signature: 'other body' }),
    isRefused: is401,
    advice: `${VERIFY} Sign the raw bytes of the body, not the parsed and printed JSON.`,
  },
  {
    name: 'a call signed ten minutes ago is refused with 401',
    call: (hook) => ({ ...good(hook), signature: 'stale' }),
    isRefused: is401,
    advice:
      'Refuse a webhook-timestamp that is more than five minutes old: else whoever recorded a call can replay it.',
  },
  {
    name: 'a call signed ten minutes in the future is refused with 401',
    call: (hook) => ({ ...good(hook), signature: 'early' }),
    isRefused: is401,
    advice: 'Refuse a webhook-timestamp that is more than five minutes ahead.',
  },
  {
    name: 'a body that is not JSON is refused with 4xx',
    call: (hook) => ({ hook, body: '{"hook": ' }),
    isRefused: is4xx,
    advice: 'Answer 400 when the body cannot be parsed.',
  },
  {
    name: 'a request that breaks the contract is refused with 4xx',
    call: (hook) => ({
      hook,
      body: JSON.stringify({ hook, transaction: 1, deposits: 2, withdrawals: 3, amount: [] }),
    }),
    isRefused: is4xx,
    advice: 'Validate requests against integration/openapi.json and answer 400.',
  },
  {
    name: 'a call that was signed for another hook is refused with 4xx',
    call: (hook) => {
      const other: HookName = hook === 'fee' ? 'interactive/form' : 'fee';
      return { hook, body: JSON.stringify({ ...samples[hook](), hook: other }) };
    },
    isRefused: is4xx,
    advice:
      'Compare the body’s "hook" with the URL: the signature does not cover the URL, so a recorded call could be sent to another hook.',
  },
];

/** Whether what is wrong is refused; at a hook without an effect if there is one. */
export const checkRefusals: Check = async (probe, hooks, record) => {
  const harmless = (hook: HookName): boolean => !table[hook].effect && hook !== 'toml';
  const target = hooks.find(harmless) ?? hooks[0];
  for (const refusal of refusals) {
    if (target) await checkRefusal(probe, target, refusal, record);
    else record({ name: refusal.name, status: 'skip', detail: 'No hook is declared.' });
  }
  await checkUndeclared(probe, record);
};

async function checkRefusal(probe: Probe, hook: HookName, refusal: Refusal, record: Report): Promise<void> {
  const answer = await probe.send(refusal.call(hook));
  const { name, isRefused, advice } = refusal;
  if (answer.status !== undefined && isRefused(answer.status)) record({ name, hook, status: 'ok' });
  else record({ name, hook, status: 'fail', detail: `It ${describe(answer)}. ${advice}` });
}

async function checkUndeclared(probe: Probe, record: Report): Promise<void> {
  const hook = 'capstan/check';
  const name = 'a hook that does not exist is answered with 4xx';
  const answer = await probe.send({ hook, body: JSON.stringify({ hook }) });
  if (answer.status !== undefined && is4xx(answer.status)) record({ name, status: 'ok' });
  else
    record({
      name,
      status: 'fail',
      detail: `It ${describe(answer)}. Answer 404 to paths that you do not serve.`,
    });
}

function describe({ status, trouble }: ProbeAnswer): string {
  return trouble === undefined ? `answered with status ${status}` : `did not answer (${trouble})`;
}
