import type { LedgerAccount } from '../ledger/types.ts';

/**
 * Why an account's own key cannot make its payments, in a sentence that says what to do; undefined when it can. A
 * distribution account may have further signers (to recover it, say), but Capstan signs with its own key alone: that has to
 * carry at least the medium threshold, which payments and trustlines need.
 */
export function signingProblem({ id, signers, thresholds }: LedgerAccount): string | undefined {
  const weight = signers.find(({ key }) => key === id)?.weight ?? 0;
  // A threshold of 0 still asks for one valid signature.
  const needed = Math.max(1, thresholds.medium);
  if (weight >= needed) return undefined;
  return (
    `the key of ${id} has weight ${weight}, but payments from it need ${needed}: nothing is paid from this account ` +
    'until its master weight reaches its medium threshold; Capstan signs with that one key'
  );
}
