import { hooks as table, type HookName } from '../../core/integration/contract.ts';
import { readDeclaration, type KnownDeclaration } from '../../core/integration/declaration.ts';
import { IntegrationMisbehaved } from '../../core/integration/errors.ts';
import type { Probe, Report } from './probe.ts';

/** The declaration and what it promises. @returns the hooks to check, or undefined when there is no declaration. */
export async function checkDeclaration(
  probe: Probe,
  record: Report,
): Promise<readonly HookName[] | undefined> {
  const name = 'GET /capstan/v1 answers the declaration';
  const answer = await probe.send({ hook: '', method: 'GET' });
  const fail = (detail: string): undefined => {
    record({ name, status: 'fail', detail });
  };
  if (answer.trouble !== undefined)
    return fail(`It was not reached: ${answer.trouble}. Check the URL and that it runs.`);
  if (answer.status === 401)
    return fail('It answers 401 to a signed call. Give both sides the same key and check the clocks.');
  if (answer.status !== 200)
    return fail(
      `It answers with status ${answer.status}. Serve the declaration at this path with status 200.`,
    );
  if (!answer.isJson || !/^application\/json/i.test(answer.contentType ?? '')) {
    return fail('It is not JSON. Answer with content type application/json.');
  }
  try {
    const declared = readDeclaration(answer.json);
    record({ name, status: 'ok' });
    checkPromises(declared, record);
    return declared.hooks;
  } catch (error) {
    if (error instanceof IntegrationMisbehaved) return fail(error.message);
    throw error;
  }
}

function checkPromises({ hooks, unknownHooks }: KnownDeclaration, record: Report): void {
  const known = 'every declared hook is one of the contract';
  if (unknownHooks.length === 0) record({ name: known, status: 'ok' });
  else {
    const detail = `Capstan does not know ${unknownHooks.join(', ').slice(0, 200)} and would never call it. The contract has: ${Object.keys(table).join(', ')}.`;
    record({ name: known, status: 'fail', detail });
  }
  const serves = 'deposits or withdrawals are served';
  const required = Object.entries(table).flatMap(([hook, row]) => ('requiredFor' in row ? [hook] : []));
  if (hooks.some((hook) => required.includes(hook))) record({ name: serves, status: 'ok' });
  else record({ name: serves, status: 'fail', detail: `Declare at least one of ${required.join(' and ')}.` });
}
