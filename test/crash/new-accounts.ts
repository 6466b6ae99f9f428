import type { Books } from '../faults/books.ts';
import { Keypair, makeTransaction, Operation, read } from '../faults/stellar.ts';
import { tellBank, type WalletContext } from '../faults/wallets.ts';

/** Tokens with two decimals; others than those of the schedules, so that the books tell them apart. */
const AMOUNT_HUNDREDTHS = 900_000;

/** Whose accounts the anchor is to make. */
const newcomers = new Set<string>();

/** A customer whose account does not exist: the anchor makes it, then waits for the trustline, then pays. */
export async function depositWithoutAccount(
  { world, sep24, records }: WalletContext,
  index: number,
): Promise<void> {
  const keypair = Keypair.random();
  const account = keypair.publicKey();
  const amount = `${(AMOUNT_HUNDREDTHS + index) / 100}`;
  try {
    const id = await sep24.open('deposit', keypair, { amount, asset: 'first', onOpen: () => undefined });
    newcomers.add(account);
    records.deposits.set(id, {
      id,
      account,
      asset: 'first',
      amount,
      memo: undefined,
      claim: undefined,
      isUntrusted: false,
    });
    await sep24.insist(() => tellBank(world, 'deposits', { id, amount }));
    await sep24.insist(() => read(world.stellar, `/accounts/${account}`));
    await makeTransaction(world.stellar, {
      source: keypair,
      operations: [Operation.changeTrust({ asset: world.assets.first.asset })],
    });
  } catch (error) {
    records.troubles.push(`customer without an account ${index}: ${String(error)}`);
  }
}

/** What is wrong with the accounts that the hot wallet made: each newcomer's exactly once. */
export function accountsMade({ ledger, anchor }: Books): readonly string[] {
  return [...newcomers].flatMap((account) => {
    const { length: times } = ledger.payments.filter(
      ({ from, to, assetId }) =>
        to === account && assetId === 'native' && anchor.assets.some((asset) => asset.account === from),
    );
    return times === 1 ? [] : [`the account ${account} was made ${times} times`];
  });
}
