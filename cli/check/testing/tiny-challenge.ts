import {
  Account,
  Operation,
  TransactionBuilder,
  type Keypair,
  type Memo,
  type Transaction,
} from '@stellar/stellar-sdk';

/** The parts of a challenge, so that a test can change one of them. */
export interface Challenge {
  readonly source: string;
  /** Of the account: the transaction has the next one. */
  readonly sequence: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly memo: Memo;
  readonly client: string;
  readonly name: string;
  readonly nonce: string;
  readonly webAuthDomain: string;
  readonly more: readonly ReturnType<typeof Operation.manageData>[];
  readonly signers: readonly Keypair[];
  /** The answer's further and changed keys. */
  readonly keys: Readonly<Record<string, unknown>>;
}

export function buildChallenge(challenge: Challenge, passphrase: string): Transaction {
  const { source, sequence, minTime, maxTime, memo, client, name, nonce, webAuthDomain, more, signers } =
    challenge;
  const builder = new TransactionBuilder(new Account(source, sequence), {
    fee: '100',
    networkPassphrase: passphrase,
    timebounds: { minTime, maxTime },
    memo,
  });
  builder.addOperation(Operation.manageData({ name, value: nonce, source: client }));
  if (webAuthDomain !== '') {
    builder.addOperation(Operation.manageData({ name: 'web_auth_domain', value: webAuthDomain, source }));
  }
  for (const operation of more) builder.addOperation(operation);
  const transaction = builder.build();
  transaction.sign(...signers);
  return transaction;
}
