import { ASSET_CODE } from '../faults/anchor-files.ts';
import type { Books } from '../faults/books.ts';
import { assetOf, Keypair, makeTransaction, Operation, read } from '../faults/stellar.ts';
import type { WalletContext } from '../faults/wallets.ts';

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
    const id = await sep24.open('deposit', keypair, amount, () => undefined);
    newcomers.add(account);
    records.deposits.set(id, { id, account, amount, isUntrusted: false });
    await sep24.insist(async () => {
      const answer = await fetch(`http://127.0.0.1:${world.bank.port() ?? 1}/book/deposits`, {
        method: 'POST',
        body: JSON.stringify({ id, amount }),
        signal: AbortSignal.timeout(5_000),
      });
      if (!answer.ok) throw new Error(`the bank answers ${answer.status}`);
    });
    await sep24.insist(() => read(world.stellar, `/accounts/${account}`));
    await makeTransaction(world.stellar, {
      source: keypair,
      operations: [Operation.changeTrust({ asset: assetOf(ASSET_CODE, world.keys.issuer.publicKey()) })],
    });
  } catch (error) {
    records.troubles.push(`customer without an account ${index}: ${String(error)}`);
  }
}

/** What is wrong with the accounts that the hot wallet made: each newcomer's exactly once. */
export function accountsMade({ ledger, anchor }: Books): readonly string[] {
  return [...newcomers].flatMap((account) => {
    const { length: times } = ledger.payments.filter(
      ({ from, to, assetId }) => from === anchor.distribution && to === account && assetId === 'native',
    );
    return times === 1 ? [] : [`the account ${account} was made ${times} times`];
  });
}
