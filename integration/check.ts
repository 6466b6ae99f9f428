import { checkDeclaration } from './check/declaration.ts';
import { checkEffects } from './check/effects.ts';
import { checkHooks } from './check/hooks.ts';
import { checkRefusals } from './check/refusals.ts';
import { createProbe, type Check, type CheckResult } from './check/probe.ts';

export type { CheckResult } from './check/probe.ts';

export interface CheckOptions {
  /** Called with each result as soon as it is known. */
  readonly onResult?: (result: CheckResult) => void;
  /** For each call. Default 10 s, what Capstan itself allows. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Proves that a running integration keeps the contract: by calling it as Capstan would, wrongly on purpose, and twice. All
 * transactions are made up and carry ids that begin with `capstan-check-`.
 * @param url the integration's base URL
 * @param key the shared key, `whsec_…`
 * @returns every result, in order; the integration keeps the contract if none is `fail`
 * @throws {InvalidIntegrationKey | InvalidIntegrationUrl}
 */
export async function checkIntegration(
  url: string,
  key: string,
  options: CheckOptions = {},
): Promise<readonly CheckResult[]> {
  const { onResult = () => {}, deadlineMs = 10_000, signal } = options;
  const results: CheckResult[] = [];
  const probe = createProbe({ url, key, deadlineMs, signal });
  const record = (result: CheckResult): void => {
    results.push(result);
    onResult(result);
  };
  try {
    const hooks = await checkDeclaration(probe, record);
    const checks: readonly Check[] = hooks ? [checkRefusals, checkHooks, checkEffects] : [];
    for (const check of checks) await check(probe, hooks ?? [], record);
  } finally {
    await probe.close();
  }
  return results;
}
