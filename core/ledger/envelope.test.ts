import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  Account,
  Asset,
  Claimant,
  Keypair,
  Memo,
  MuxedAccount,
  Operation,
  FeeBumpTransaction,
  Transaction,
  TransactionBuilder,
  type OperationRecord,
  type xdr,
} from '@stellar/stellar-sdk';
import fc from 'fast-check';
import { signerFromSeed } from '../keys/ed25519.ts';
import { formatAmount, MAX_STROOPS, parseAmount } from '../transaction/amount.ts';
import {
  FEE_BUMP_FACTOR,
  buildFeeBump,
  buildPaymentTransaction,
  hashOfEnvelope,
  signEnvelope,
} from './envelope.ts';
import type { PaymentTransaction } from './envelope.ts';
import { InvalidEnvelope } from './errors.ts';
import type { ClaimantSpec, TransferOperation } from './operations.ts';
import { PASSPHRASE } from './testing/resources.ts';

const distribution = Keypair.random();
const channel = Keypair.random();
const customer = Keypair.random().publicKey();
const issuer = Keypair.random().publicKey();
const muxed = new MuxedAccount(new Account(customer, '0'), '18446744073709551615').accountId();

const payment: PaymentTransaction = {
  source: channel.publicKey(),
  sequence: 103079215105n,
  operations: [
    {
      kind: 'payment',
      source: distribution.publicKey(),
      destination: customer,
      assetId: `SRT:${issuer}`,
      amount: 1n,
    },
  ],
  maxTime: 1_800_000_000n,
  feePerOperation: 200n,
  passphrase: PASSPHRASE,
};

/** What the SDK reads out of an operation, in our own words. */
function shown(operation: OperationRecord): object {
  const { source } = operation;
  const from = source === undefined ? {} : { source };
  const idOf = (asset: Asset): string =>
    asset.isNative() ? 'native' : `${asset.getCode()}:${asset.getIssuer()}`;
  switch (operation.type) {
    case 'payment':
      return {
        ...from,
        to: operation.destination,
        asset: idOf(operation.asset),
        amount: parseAmount(operation.amount),
      };
    case 'createAccount':
      return { ...from, to: operation.destination, amount: parseAmount(operation.startingBalance) };
    case 'createClaimableBalance': {
      const claimants = operation.claimants.map((claimant) => claimant.toXdrObject().toXdr('base64'));
      return { ...from, claimants, asset: idOf(operation.asset), amount: parseAmount(operation.amount) };
    }
    case 'claimClaimableBalance':
      return { ...from, balance: operation.balanceId };
    default:
      throw new Error(`an operation of another kind: ${operation.type}`);
  }
}

function expectedOf(operation: TransferOperation): object {
  const { source, kind, amount } = operation;
  const from = source === undefined ? {} : { source };
  switch (kind) {
    case 'payment':
      return { ...from, to: operation.destination, asset: operation.assetId, amount };
    case 'createAccount':
      return { ...from, to: operation.destination, amount };
    case 'claimClaimableBalance':
      return { ...from, balance: operation.balanceId };
    default: {
      const claimants = operation.claimants.map((one) =>
        new Claimant(one.account, predicateOf(one)).toXdrObject().toXdr('base64'),
      );
      return { ...from, claimants, asset: operation.assetId, amount };
    }
  }
}

function predicateOf({ from, before }: ClaimantSpec): xdr.ClaimPredicate {
  const parts = [
    ...(from === undefined
      ? []
      : [Claimant.predicateNot(Claimant.predicateBeforeAbsoluteTime(String(from)))]),
    ...(before === undefined ? [] : [Claimant.predicateBeforeAbsoluteTime(String(before))]),
  ];
  const [first, second] = parts;
  if (!first) return Claimant.predicateUnconditional();
  return second ? Claimant.predicateAnd(first, second) : first;
}

describe('building a transaction', () => {
  test('gives the same envelope and hash as the SDK, whatever is paid', () => {
    const amount = fc.bigInt(1n, MAX_STROOPS);
    const memo = fc.option(
      fc.oneof(
        fc.record({ type: fc.constant('id' as const), value: fc.bigInt(0n, (1n << 64n) - 1n).map(String) }),
        fc.record({
          type: fc.constant('text' as const),
          value: fc.string({ maxLength: 7, unit: 'grapheme-ascii' }),
        }),
        fc.record({ type: fc.constant('hash' as const), value: fc.constant('0f'.repeat(32)) }),
        fc.record({ type: fc.constant('return' as const), value: fc.constant('f0'.repeat(32)) }),
      ),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(amount, fc.constantFrom(customer, muxed), fc.constantFrom('native', `SRT:${issuer}`)),
          {
            minLength: 1,
            maxLength: 100,
          },
        ),
        memo,
        fc.bigInt(1n, MAX_STROOPS - 1n),
        fc.bigInt(100n, 100_000n),
        (payments, chosen, sequence, feePerOperation) => {
          const sdk = new TransactionBuilder(new Account(channel.publicKey(), String(sequence - 1n)), {
            fee: String(feePerOperation),
            networkPassphrase: PASSPHRASE,
            timebounds: { minTime: 0, maxTime: 1_800_000_000 },
            memo: chosen ? Memo[chosen.type](chosen.value) : Memo.none(),
          });
          for (const [stroops, destination, assetId] of payments) {
            const asset = assetId === 'native' ? Asset.native() : new Asset('SRT', issuer);
            const source = distribution.publicKey();
            sdk.addOperation(
              Operation.payment({ source, destination, asset, amount: formatAmount(stroops) }),
            );
          }
          const expected = sdk.build();
          const built = buildPaymentTransaction({
            ...payment,
            sequence,
            feePerOperation,
            ...(chosen ? { memo: chosen } : {}),
            operations: payments.map(([stroops, destination, assetId]) => ({
              kind: 'payment',
              source: distribution.publicKey(),
              destination,
              assetId,
              amount: stroops,
            })),
          });
          expect(built.envelope).toBe(expected.toXdr());
          expect(built.hash).toBe(Buffer.from(expected.hash()).toString('hex'));
        },
      ),
      { numRuns: 40 },
    );
  });

  const g = fc.constantFrom(customer, distribution.publicKey(), channel.publicKey());
  const gOrM = fc.oneof(g, fc.constant(muxed));
  const seconds = fc.bigInt(1n, MAX_STROOPS);
  const claimants = fc.record({ account: g, from: seconds, before: seconds }, { requiredKeys: ['account'] });
  const shared = { source: fc.option(gOrM, { nil: undefined }), amount: fc.bigInt(1n, MAX_STROOPS) };
  const assetId = fc
    .option(fc.stringMatching(/^[a-zA-Z0-9]{1,12}$/), { nil: undefined })
    .map((code) => (code === undefined ? 'native' : `${code}:${issuer}`));
  const operations = fc.oneof(
    fc.record({ ...shared, kind: fc.constant('payment' as const), destination: gOrM, assetId }),
    fc.record({ ...shared, kind: fc.constant('createAccount' as const), destination: g }),
    fc.record({
      ...shared,
      kind: fc.constant('createClaimableBalance' as const),
      assetId,
      claimants: fc.array(claimants, { minLength: 1, maxLength: 10 }),
    }),
    fc.record({
      ...shared,
      kind: fc.constant('claimClaimableBalance' as const),
      balanceId: fc.stringMatching(/^[0-9a-f]{64}$/).map((hash) => `00000000${hash}`),
    }),
  );

  test('gives the SDK, for every kind of operation, what it writes back as the same bytes', () => {
    fc.assert(
      fc.property(fc.array(operations, { minLength: 1, maxLength: 20 }), (chosen) => {
        // `undefined` by name is what no caller writes.
        const named = chosen.map(({ source, ...rest }) =>
          source === undefined ? rest : { source, ...rest },
        );
        const built = buildPaymentTransaction({ ...payment, operations: named });
        const read = new Transaction(built.envelope, PASSPHRASE);
        expect(read.toXdr()).toBe(built.envelope);
        expect(Buffer.from(read.hash()).toString('hex')).toBe(built.hash);
        expect(read.operations.map(shown)).toEqual(named.map(expectedOf));
      }),
      { numRuns: 60 },
    );
  });

  test('signs as the SDK does', () => {
    const built = buildPaymentTransaction(payment);
    const sdk = new Transaction(built.envelope, PASSPHRASE);
    sdk.sign(distribution, channel);
    const signers = [distribution, channel].map((keypair) => signerFromSeed(keypair.secret()));
    expect(buildPaymentTransaction(payment, signers)).toEqual({ envelope: sdk.toXdr(), hash: built.hash });
  });

  test('creates accounts and claimable balances that only their claimants may take, in time', () => {
    const { envelope } = buildPaymentTransaction({
      ...payment,
      operations: [
        { kind: 'createAccount', destination: customer, amount: 20_100_000n },
        {
          kind: 'createClaimableBalance',
          assetId: `SRT:${issuer}`,
          amount: 5_0000000n,
          claimants: [
            { account: customer, before: 1_900_000_000n },
            { account: distribution.publicKey(), from: 1_900_000_000n },
          ],
        },
      ],
    });
    const [create, claimable] = new Transaction(envelope, PASSPHRASE).operations;
    expect(create).toMatchObject({
      type: 'createAccount',
      destination: customer,
      startingBalance: '2.0100000',
    });
    const before = Claimant.predicateBeforeAbsoluteTime('1900000000');
    const xdrOf = (claimant: Claimant): string => claimant.toXdrObject().toXdr('base64');
    expect((claimable as { claimants: Claimant[] }).claimants.map(xdrOf)).toEqual([
      xdrOf(new Claimant(customer, before)),
      xdrOf(new Claimant(distribution.publicKey(), Claimant.predicateNot(before))),
    ]);
  });

  const invalid: [string, Partial<PaymentTransaction>][] = [
    ['no operations', { operations: [] }],
    ['101 operations', { operations: Array.from({ length: 101 }, () => payment.operations[0]!) }],
    ['no maximum time', { maxTime: 0n }],
    ['a minimum time after the maximum', { minTime: 1_800_000_001n }],
    ['sequence 0', { sequence: 0n }],
    ['no fee', { feePerOperation: 0n }],
    ['a fee beyond 32 bits', { feePerOperation: 4_294_967_296n }],
    ['an amount of nothing', { operations: [{ ...payment.operations[0]!, amount: 0n }] }],
    ['an amount beyond int64', { operations: [{ ...payment.operations[0]!, amount: MAX_STROOPS + 1n }] }],
    ['a text memo of 29 bytes', { memo: { type: 'text', value: 'é'.repeat(15) } }],
    ['an id memo beyond 64 bits', { memo: { type: 'id', value: '18446744073709551616' } }],
    ['a source that is no account', { source: 'GNOBODY' }],
    ['a source that is muxed', { source: muxed }],
    ['a hash memo of 31 bytes', { memo: { type: 'hash', value: '0f'.repeat(31) } }],
    [
      'a destination that is no account',
      { operations: [{ kind: 'payment', destination: 'GNOBODY', assetId: 'native', amount: 1n }] },
    ],
    [
      'the creation of a muxed account',
      { operations: [{ kind: 'createAccount', destination: muxed, amount: 1n }] },
    ],
    [
      'a claimable balance for nobody',
      { operations: [{ kind: 'createClaimableBalance', assetId: 'native', amount: 1n, claimants: [] }] },
    ],
    [
      'a claimable balance that may be taken after the end of int64',
      {
        operations: [
          {
            kind: 'createClaimableBalance',
            assetId: 'native',
            amount: 1n,
            claimants: [{ account: customer, from: MAX_STROOPS + 1n }],
          },
        ],
      },
    ],
    [
      'the claim of what is no balance',
      { operations: [{ kind: 'claimClaimableBalance', balanceId: '00', amount: 1n }] },
    ],
    [
      'an asset code of 13 characters',
      {
        operations: [
          { kind: 'payment', destination: customer, assetId: `ABCDEFGHIJKLM:${issuer}`, amount: 1n },
        ],
      },
    ],
    [
      'an asset without issuer',
      { operations: [{ kind: 'payment', destination: customer, assetId: 'SRT', amount: 1n }] },
    ],
  ];
  test.each(invalid)('refuses %s', (_, replaced) => {
    expect(() => buildPaymentTransaction({ ...payment, ...replaced })).toThrow(InvalidEnvelope);
  });
});

describe('signing', () => {
  test("adds each signer's signature, which the SDK verifies, and keeps the hash", () => {
    const built = buildPaymentTransaction(payment);
    const signed = signEnvelope(built.envelope, PASSPHRASE, [
      signerFromSeed(distribution.secret()),
      signerFromSeed(channel.secret()),
    ]);
    expect(signed.hash).toBe(built.hash);
    expect(hashOfEnvelope(signed.envelope, PASSPHRASE)).toBe(built.hash);
    const sdk = new Transaction(built.envelope, PASSPHRASE);
    sdk.sign(distribution, channel);
    expect(signed.envelope).toBe(sdk.toXdr());
  });

  test('the hash belongs to the network', () => {
    const { envelope, hash } = buildPaymentTransaction(payment);
    expect(hashOfEnvelope(envelope, 'another network')).not.toBe(hash);
  });

  test('refuses an envelope that is none', () => {
    expect(() => signEnvelope(randomBytes(40).toString('base64'), PASSPHRASE, [])).toThrow(InvalidEnvelope);
  });
});

describe('a fee bump', () => {
  const inner = signEnvelope(buildPaymentTransaction(payment).envelope, PASSPHRASE, [
    signerFromSeed(distribution.secret()),
  ]);
  const bump = {
    innerEnvelope: inner.envelope,
    feeSource: distribution.publicKey(),
    feePerOperation: payment.feePerOperation * FEE_BUMP_FACTOR,
    passphrase: PASSPHRASE,
  };

  test('bids for every operation and itself, and keeps the inner transaction with its signatures', () => {
    const built = buildFeeBump(bump);
    const signed = signEnvelope(built.envelope, PASSPHRASE, [signerFromSeed(distribution.secret())]);
    const read = TransactionBuilder.fromXdr(signed.envelope, PASSPHRASE) as FeeBumpTransaction;
    expect(read).toBeInstanceOf(FeeBumpTransaction);
    expect(read.fee).toBe('4000');
    expect(read.innerTransaction.toXdr()).toBe(inner.envelope);
    expect(distribution.verify(read.hash(), read.signatures[0]!.signature.toXdrObject())).toBe(true);
    expect(signed.hash).toBe(built.hash);
    expect(built.hash).not.toBe(inner.hash);
  });

  test('refuses to bid less than the inner transaction, or to bump a bump', () => {
    expect(() => buildFeeBump({ ...bump, feePerOperation: 199n })).toThrow(InvalidEnvelope);
    expect(() => buildFeeBump({ ...bump, innerEnvelope: buildFeeBump(bump).envelope })).toThrow(
      InvalidEnvelope,
    );
  });
});
