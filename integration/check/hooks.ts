import { randomUUID } from 'node:crypto';
import { hooks as table, type HookName } from '../../core/integration/contract.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { prepare, type Malformed } from '../../core/integration/messages.ts';
import type { Check, Probe, ProbeAnswer, Report } from './probe.ts';
import { samples } from './samples.ts';

/** Every declared hook answers a made-up request by the contract. */
export const checkHooks: Check = async (probe, hooks, record) => {
  for (const hook of hooks) await checkHook(probe, hook, record);
};

async function checkHook(probe: Probe, hook: HookName, record: Report): Promise<void> {
  const name = `${hook} answers by the contract`;
  const prepared = prepare(hook, samples[hook]());
  const answer = await probe.send({
    hook,
    body: prepared.body,
    id: `check_${randomUUID()}`,
    hasIdempotencyKey: table[hook].effect,
  });
  const detail =
    faultOf(answer) ?? contractFault(() => prepared.read(answer.status === 204 ? {} : answer.json));
  if (detail === undefined) record({ name, hook, status: 'ok' });
  else record({ name, hook, status: 'fail', detail });
}

/** What is wrong with an answer before its contents are looked at. */
export function faultOf({ status, trouble, isJson, contentType, json }: ProbeAnswer): string | undefined {
  if (trouble !== undefined)
    return `There was no answer: ${trouble}. A hook has ten seconds; what takes longer is answered as pending and told by the poll hook.`;
  if (status === 204) return undefined;
  if (status !== 200)
    return `It answered with status ${status}${problemIn(json)}. Answer 200 and say what happened by an outcome: retry, blocked, fatal.`;
  if (!isJson || !/^application\/json/i.test(contentType ?? ''))
    return 'The answer is not application/json. Set the content type.';
  return undefined;
}

function contractFault(read: () => object): string | undefined {
  try {
    const answer = read();
    const [first] = 'malformed' in answer ? (answer.malformed as readonly Malformed[]) : [];
    return (
      first &&
      `A result is malformed: ${first.problem}. Answer at most one result for each transaction that was asked for.`
    );
  } catch (error) {
    if (error instanceof CapstanError) return error.message;
    throw error;
  }
}

/** The SDK says what is broken; another server may too. */
function problemIn(json: unknown): string {
  if (typeof json !== 'object' || json === null) return '';
  const said = 'problem' in json ? json.problem : 'error' in json ? json.error : undefined;
  return typeof said === 'string' ? ` (${said.slice(0, 300)})` : '';
}
