import { randomBytes } from 'node:crypto';
import { Account, Asset, Operation, TransactionBuilder, xdr } from '@stellar/stellar-sdk/base';
import { systemClock } from '../core/runtime/clock.ts';
import { createHorizon } from '../core/ledger/horizon.ts';
import type { SubmitOutcome } from '../core/ledger/types.ts';
import { generateSeed, signatureHint, signerFromSeed, type Signer } from '../core/keys/ed25519.ts';
import { decodeAccount } from '../core/keys/strkey.ts';
import type { Premises } from '../test/support/premises.ts';
import { fundWallets } from './wallets.ts';

/** Operations of a ledger transaction, and of a ledger. */
const OPERATIONS = 100;
const LEDGER_OPERATIONS = 1_000;
/** An envelope holds twenty signatures. */
const SIGNERS = 19;
const STARTING_BALANCE = '5';

/** So many new accounts that trust the anchor's first asset. The ledger is made to close as fast as this needs. */
export async function createHolders(premises: Premises, count: number): Promise<readonly Signer[]> {
  const holders = Array.from({ length: count }, newSigner);
  const [asset] = premises.anchor.assets;
  if (asset === undefined) throw new Error('the anchor has no asset');
  const payers = await fundWallets(premises.horizon, LEDGER_OPERATIONS / OPERATIONS);
  const bank = await openBuilder(premises);
  try {
    const creations = chunks(holders, OPERATIONS).map((group) =>
      group.map(({ account }) =>
        Operation.createAccount({ destination: account, startingBalance: STARTING_BALANCE }),
      ),
    );
    for (const round of chunks(creations, payers.length)) {
      await bank.apply(round.map((operations, index) => ({ operations, signers: [payers[index]!] })));
    }
    const line = new Asset(asset.code, asset.issuer);
    const trusts = chunks(holders, SIGNERS).map((group) => ({
      operations: group.map(({ account }) => Operation.changeTrust({ source: account, asset: line })),
      signers: group,
    }));
    for (const round of chunks(trusts, Math.floor(LEDGER_OPERATIONS / SIGNERS))) await bank.apply(round);
  } finally {
    await bank.close();
  }
  return holders;
}

const newSigner = (): Signer => signerFromSeed(generateSeed(randomBytes));

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** The first signer is the source. */
export interface Step {
  readonly operations: readonly xdr.Operation[];
  readonly signers: readonly Signer[];
  readonly memo?: Parameters<TransactionBuilder['addMemo']>[0];
}

export interface Builder {
  /** Puts these transactions, of a source each, into one ledger. @throws unless all of them succeed */
  apply(steps: readonly Step[]): Promise<void>;
  /** The same, unseen. */
  send(steps: readonly Step[]): Promise<void>;
  close(): Promise<void>;
}

/** Signs by node:crypto, so that the making of a bench's surroundings takes seconds. */
export async function openBuilder({ horizon: url, anchor }: Premises): Promise<Builder> {
  const { passphrase } = anchor.network;
  const budget = { perSecond: 1e6 };
  const horizon = createHorizon({ urls: [url], passphrase, clock: systemClock, budget, deadlineMs: 120_000 });
  const sequences = new Map<string, bigint>();
  const envelopeOf = async ({ operations, signers, memo }: Step): Promise<string> => {
    const [{ account }] = signers as [Signer, ...Signer[]];
    const sequence = sequences.get(account) ?? (await horizon.account(account)).account?.sequence;
    if (sequence === undefined) throw new Error(`${account} does not exist`);
    const builder = new TransactionBuilder(new Account(account, String(sequence)), {
      fee: '1000',
      networkPassphrase: passphrase,
      timebounds: { minTime: 0, maxTime: 0 },
    });
    sequences.set(account, sequence + 1n);
    if (memo) builder.addMemo(memo);
    for (const operation of operations) builder.addOperation(operation);
    const transaction = builder.build();
    const hash = transaction.hash();
    for (const signer of signers) {
      const hint = Uint8Array.from(signatureHint(decodeAccount(signer.account)));
      const signature = Uint8Array.from(signer.sign(hash));
      transaction.addDecoratedSignature(new xdr.DecoratedSignature({ hint, signature }));
    }
    return transaction.toXdr();
  };
  const submit = async (steps: readonly Step[]): Promise<readonly SubmitOutcome[]> => {
    const envelopes = await Promise.all(steps.map(envelopeOf));
    const outcomes = await Promise.all(
      envelopes.map(async (envelope) => {
        const outcome = await horizon.submit(envelope);
        // The connection was idle while we signed, and the ledger had closed it.
        return outcome.kind === 'unknown' ? horizon.submit(envelope) : outcome;
      }),
    );
    await fetch(`${url}/control/close`, { method: 'POST' });
    return outcomes;
  };
  return {
    send: async (steps) => void (await submit(steps)),
    async apply(steps) {
      const outcomes = await submit(steps);
      for (const { hash, ...outcome } of outcomes) {
        const found = await horizon.transaction(hash);
        if (found?.successful !== true)
          throw new Error(`not applied: ${JSON.stringify(outcome)} ${found?.resultXdr}`);
      }
    },
    close: () => horizon.close(),
  };
}
