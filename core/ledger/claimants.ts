import { FeeBumpTransaction } from '@stellar/stellar-sdk/base';
import type { Claimant } from '@stellar/stellar-sdk/base';
import { parseEnvelope } from './envelope.ts';

/**
 * From when on (seconds since the epoch) an account may claim what an operation of an envelope lays on the ledger;
 * undefined when that operation lays nothing there, or nothing that the account has to wait for.
 *
 * @throws {InvalidEnvelope}
 */
export function claimableFrom(
  envelope: string,
  passphrase: string,
  { operationIndex, account }: { readonly operationIndex: number; readonly account: string },
): bigint | undefined {
  const parsed = parseEnvelope(envelope, passphrase);
  const { operations } = parsed instanceof FeeBumpTransaction ? parsed.innerTransaction : parsed;
  const operation = operations[operationIndex];
  if (operation?.type !== 'createClaimableBalance') return undefined;
  const claimant = operation.claimants.find(({ destination }: Claimant) => destination === account);
  const predicate = claimant?.predicate;
  if (predicate?.type !== 'claimPredicateNot') return undefined;
  const until = predicate.notPredicate;
  return until?.type === 'claimPredicateBeforeAbsoluteTime' ? until.absBefore : undefined;
}
