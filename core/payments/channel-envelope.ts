import { Account, Asset, Operation, TransactionBuilder } from '@stellar/stellar-sdk/base';
import type { xdr } from '@stellar/stellar-sdk/base';
import type { LedgerAccount } from '../ledger/types.ts';
import { formatAmount } from '../transaction/amount.ts';
import type { ChannelPlan } from './channels.ts';
import type { Frame } from './round.ts';

/**
 * Operations of the distribution account that top up channels and create new ones. A new one gives itself away at once:
 * its own key loses all weight and the distribution account's becomes its only signer, so no further secret exists.
 *
 * @param newAccounts G… of as many fresh keys as the plan creates; each has to sign
 */
export function upkeepOperations(
  { topUp, startingBalance }: Pick<ChannelPlan, 'topUp' | 'startingBalance'>,
  distribution: string,
  newAccounts: readonly string[],
): readonly xdr.Operation[] {
  return [
    ...topUp.map(({ account, amount }) =>
      Operation.payment({ destination: account, asset: Asset.native(), amount: formatAmount(amount) }),
    ),
    ...newAccounts.flatMap((account) => [
      Operation.createAccount({ destination: account, startingBalance: formatAmount(startingBalance) }),
      Operation.setOptions({
        source: account,
        signer: { ed25519PublicKey: distribution, weight: 1 },
        masterWeight: 0,
        lowThreshold: 1,
        medThreshold: 1,
        highThreshold: 1,
      }),
    ]),
  ];
}

/** The operation that ends a channel: what is left on it goes to the distribution account. */
export function retirement(distribution: string): readonly xdr.Operation[] {
  return [Operation.accountMerge({ destination: distribution })];
}

/** The unsigned envelope over the next sequence number of `source`, in base64. */
export function buildUpkeep(
  source: LedgerAccount,
  operations: readonly xdr.Operation[],
  { maxTime, feePerOperation }: Frame,
  passphrase: string,
): string {
  const builder = new TransactionBuilder(new Account(source.id, String(source.sequence)), {
    fee: String(feePerOperation),
    networkPassphrase: passphrase,
    timebounds: { minTime: '0', maxTime: String(maxTime) },
  });
  for (const operation of operations) builder.addOperation(operation);
  return builder.build().toXdr();
}
