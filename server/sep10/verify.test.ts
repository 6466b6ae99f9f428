import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  Account,
  BASE_FEE,
  Keypair,
  Memo,
  Operation,
  Transaction,
  TransactionBuilder,
} from '@stellar/stellar-sdk';
import { PublicKey } from '../../core/keys/ed25519.ts';
import { encodeMuxed } from '../../core/keys/strkey.ts';
import { networkId } from '../../core/keys/transaction-hash.ts';
import { Sep10Error } from './errors.ts';
import { readChallenge, verifySigners } from './verify.ts';
import type { AccountSigners } from './verify.ts';

const PASSPHRASE = 'A network for the tests of verification';
const HOME = 'harbor.example';
const AUTH = 'anchor.harbor.example';
const NOW_S = 1_800_000_000;
const server = Keypair.random();
const client = Keypair.random();
const wallet = Keypair.random();
const cosigner = Keypair.random();
const stranger = Keypair.random();
const serverKey = PublicKey.fromAccount(server.publicKey());
const options = {
  server: serverKey,
  networkId: networkId(PASSPHRASE),
  homeDomains: [HOME, 'second.example'],
  webAuthDomain: AUTH,
  nowMs: NOW_S * 1000,
};

interface Shape {
  source: string;
  /** The sequence number of the transaction. */
  sequence: string;
  minTime: number;
  maxTime: number;
  memo: Memo;
  passphrase: string;
  operations: Parameters<TransactionBuilder['addOperation']>[0][];
  signers: Keypair[];
}

const nonce = (bytes = 48): string => randomBytes(bytes).toString('base64');
const data = (name: string, value: string | Buffer | null, source?: string) =>
  Operation.manageData({ name, value, ...(source === undefined ? {} : { source }) });
const auth = (source: string | undefined = client.publicKey(), name = `${HOME} auth`, value = nonce()) =>
  data(name, value, source);
const webAuth = (value: string | null = AUTH, source = server.publicKey()) =>
  data('web_auth_domain', value, source);
const walletDomain = (value: string | null = 'wallet.example', source = wallet.publicKey()) =>
  data('client_domain', value, source);

/** A correct challenge, signed by server and client, but for what `change` says. */
function challenge(change: Partial<Shape> = {}): string {
  const shape: Shape = {
    source: server.publicKey(),
    sequence: '0',
    minTime: NOW_S,
    maxTime: NOW_S + 900,
    memo: Memo.none(),
    passphrase: PASSPHRASE,
    operations: [auth(), webAuth()],
    signers: [server, client],
    ...change,
  };
  const source = new Account(shape.source, String(BigInt(shape.sequence) - 1n));
  const builder = new TransactionBuilder(source, {
    fee: BASE_FEE,
    networkPassphrase: shape.passphrase,
    timebounds: { minTime: shape.minTime, maxTime: shape.maxTime },
    memo: shape.memo,
  });
  for (const operation of shape.operations) builder.addOperation(operation);
  const transaction = builder.build();
  transaction.sign(...shape.signers);
  return transaction.toXDR();
}

/** "accepted", or the code of the refusal. */
function verdict(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (error) {
    if (error instanceof Sep10Error) return error.code;
    throw error;
  }
}

const read = (change: Partial<Shape> = {}, nowMs = options.nowMs): string =>
  verdict(() => readChallenge(challenge(change), { ...options, nowMs }));

function account(medium: number, ...signers: readonly [Keypair | string, number][]): AccountSigners {
  return {
    thresholds: { medium },
    signers: signers.map(([key, weight]) => ({
      key: typeof key === 'string' ? key : key.publicKey(),
      weight,
      type: typeof key === 'string' ? 'sha256_hash' : 'ed25519_public_key',
    })),
  };
}

const login = (change: Partial<Shape>, on: AccountSigners | undefined): string =>
  verdict(() => verifySigners(readChallenge(challenge(change), options), on, serverKey));

describe('rule 1, the transaction', () => {
  test('a plain transaction from our key with sequence 0 is accepted', () => {
    expect(read()).toBe('accepted');
  });

  test('another source, also our key as a muxed account, is refused', () => {
    expect(read({ source: stranger.publicKey() })).toBe('wrong_source');
    const xdr = Buffer.from(challenge(), 'base64');
    const id = Buffer.from('0000010000000000000000ff', 'hex');
    const muxed = Buffer.concat([xdr.subarray(0, 4), id, xdr.subarray(8)]).toString('base64');
    expect(verdict(() => readChallenge(muxed, options))).toBe('wrong_source');
  });

  test('another sequence number is refused', () => {
    expect(read({ sequence: '1' })).toBe('sequence_not_zero');
    expect(read({ sequence: '9007199254740993' })).toBe('sequence_not_zero');
  });

  test('a fee bump and an envelope of the old kind are refused', () => {
    const inner = new Transaction(challenge(), PASSPHRASE);
    const bump = TransactionBuilder.buildFeeBumpTransaction(server, '400', inner, PASSPHRASE).toXDR();
    expect(verdict(() => readChallenge(bump, options))).toBe('not_a_transaction');
    expect(verdict(() => readChallenge(Buffer.alloc(200).toString('base64'), options))).toBe(
      'not_a_transaction',
    );
  });

  test('a challenge of another network is refused', () => {
    expect(read({ passphrase: 'Another network' })).toBe('server_signature_missing');
  });

  test.each([
    ['nothing', ''],
    ['blanks', '   '],
    ['no base64', '!!!!'],
    ['base64 without its padding', challenge().replace(/=*$/, '') + 'A'],
    ['base64 in several lines', challenge().replace(/(.{64})/, '$1\n')],
    ['the URL-safe alphabet', Buffer.alloc(30, 0xff).toString('base64url')],
    ['more than any challenge has', 'A'.repeat(16_388)],
  ])('%s is malformed', (_what, text) => {
    expect(verdict(() => readChallenge(text, options))).toBe('malformed_transaction');
  });
});

describe('rule 2, the time bounds', () => {
  test('it is accepted from a minute before its beginning to a minute after its end', () => {
    expect(read({}, (NOW_S - 60) * 1000)).toBe('accepted');
    expect(read({}, (NOW_S + 960) * 1000 - 1)).toBe('accepted');
  });

  test('it is refused before and after', () => {
    expect(read({}, (NOW_S - 61) * 1000)).toBe('challenge_not_yet_valid');
    expect(read({}, (NOW_S + 960) * 1000)).toBe('challenge_expired');
  });

  test('its use has to be remembered exactly until it is refused for its age', () => {
    const { expiresAtMs } = readChallenge(challenge(), options);
    expect(read({}, expiresAtMs - 1)).toBe('accepted');
    expect(read({}, expiresAtMs)).toBe('challenge_expired');
  });

  test('an end that is infinite and bounds that are missing are refused', () => {
    expect(read({ maxTime: 0 })).toBe('missing_time_bounds');
    const xdr = Buffer.from(challenge(), 'base64');
    const preconditions = 4 + 36 + 4 + 8;
    const unbounded = Buffer.concat([
      xdr.subarray(0, preconditions),
      Buffer.alloc(4),
      xdr.subarray(preconditions + 20),
    ]);
    expect(verdict(() => readChallenge(unbounded.toString('base64'), options))).toBe('missing_time_bounds');
  });
});

describe('rule 3, the first operation', () => {
  test('it tells the home domain, any of ours', () => {
    const second = challenge({ operations: [auth(undefined, 'second.example auth'), webAuth()] });
    expect(readChallenge(second, options).homeDomain).toBe('second.example');
  });

  test('no operation, and one without a source, is refused', () => {
    const noSource = Operation.manageData({ name: `${HOME} auth`, value: nonce() });
    expect(read({ operations: [noSource, webAuth()] })).toBe('client_account_missing');
    const xdr = Buffer.from(challenge(), 'base64');
    const operations = 4 + 36 + 4 + 8 + 20 + 4;
    const empty = Buffer.concat([xdr.subarray(0, operations), Buffer.alloc(12)]).toString('base64');
    expect(verdict(() => readChallenge(empty, options))).toBe('client_account_missing');
  });

  test.each([
    'other.example auth',
    'harbor.example',
    `${HOME} auth `,
    `${HOME}  auth`,
    'HARBOR.EXAMPLE auth',
  ])('the name "%s" is refused', (name) => {
    expect(read({ operations: [auth(undefined, name), webAuth()] })).toBe('wrong_home_domain');
  });

  test('a nonce that is not 48 bytes in base64 is refused', () => {
    for (const value of [nonce(47), nonce(45), '!'.repeat(64), 'x']) {
      expect(read({ operations: [auth(undefined, undefined, value), webAuth()] })).toBe('wrong_nonce');
    }
    expect(read({ operations: [data(`${HOME} auth`, null, client.publicKey()), webAuth()] })).toBe(
      'wrong_nonce',
    );
  });

  test('an operation that is not manage_data is refused, first or later', () => {
    const bump = Operation.bumpSequence({ bumpTo: '9', source: client.publicKey() });
    expect(read({ operations: [bump, webAuth()] })).toBe('operation_not_manage_data');
    expect(read({ operations: [auth(), webAuth(), bump] })).toBe('operation_not_manage_data');
  });
});

describe('rule 4, the other operations', () => {
  test('further operations of our own are accepted', () => {
    const ours = data('anything', 'x', server.publicKey());
    expect(read({ operations: [auth(), ours, webAuth(), ours] })).toBe('accepted');
  });

  test('one of another source, or of none, is refused', () => {
    const theirs = data('anything', 'x', stranger.publicKey());
    expect(read({ operations: [auth(), webAuth(), theirs] })).toBe('operation_not_ours');
    expect(read({ operations: [auth(), webAuth(), data('anything', 'x')] })).toBe('operation_not_ours');
    expect(read({ operations: [auth(), webAuth(AUTH, stranger.publicKey())] })).toBe('operation_not_ours');
  });

  test('a web_auth_domain that is missing, empty or not ours is refused', () => {
    expect(read({ operations: [auth()] })).toBe('wrong_web_auth_domain');
    expect(read({ operations: [auth(), webAuth(null)] })).toBe('wrong_web_auth_domain');
    expect(read({ operations: [auth(), webAuth('evil.example')] })).toBe('wrong_web_auth_domain');
    expect(read({ operations: [auth(), webAuth(), webAuth('evil.example')] })).toBe('wrong_web_auth_domain');
  });

  test('more than one client domain is refused', () => {
    const operations = [
      auth(),
      webAuth(),
      walletDomain(),
      walletDomain('other.example', stranger.publicKey()),
    ];
    expect(read({ operations, signers: [server, client, wallet, stranger] })).toBe('client_domain_twice');
  });

  test('a client domain without a name, without a source, muxed or with our own key is refused', () => {
    const muxed = encodeMuxed(wallet.rawPublicKey(), 1n);
    for (const operation of [
      walletDomain(null),
      data('client_domain', 'wallet.example'),
      walletDomain('wallet.example', muxed),
      walletDomain('wallet.example', server.publicKey()),
    ]) {
      const change = { operations: [auth(), webAuth(), operation], signers: [server, client, wallet] };
      expect(read(change)).toBe('wrong_client_domain');
    }
  });
});

describe("rule 5, the server's signature", () => {
  test('it must be there and be right', () => {
    expect(read({ signers: [client] })).toBe('server_signature_missing');
    const broken = Buffer.from(challenge({ signers: [server] }), 'base64');
    broken[broken.length - 1]! ^= 1;
    expect(verdict(() => readChallenge(broken.toString('base64'), options))).toBe('server_signature_missing');
  });

  test("it never counts towards the client's weight", () => {
    expect(login({ signers: [server] }, undefined)).toBe('client_signature_missing');
    const both = account(2, [server, 5], [client, 1]);
    expect(login({}, both)).toBe('weight_too_low');
    expect(login({}, account(1, [server, 5], [client, 1]))).toBe('accepted');
    const itself = { operations: [auth(server.publicKey()), webAuth()] };
    expect(login({ ...itself, signers: [server] }, account(0, [server, 1]))).toBe('client_signature_missing');
    expect(login({ ...itself, signers: [server, server] }, account(0, [server, 1]))).toBe('signature_twice');
  });
});

describe('rule 6, the memo', () => {
  test('an id is accepted, up to the largest, and none as well', () => {
    const largest = readChallenge(challenge({ memo: Memo.id('18446744073709551615') }), options);
    expect(largest.subject.sub).toBe(`${client.publicKey()}:18446744073709551615`);
    expect(readChallenge(challenge(), options).subject.sub).toBe(client.publicKey());
  });

  test('another type is refused', () => {
    for (const memo of [Memo.text('7'), Memo.hash('07'.repeat(32)), Memo.return('07'.repeat(32))]) {
      expect(read({ memo })).toBe('memo_not_id');
    }
  });

  test('a muxed account is accepted without a memo and refused with one', () => {
    const muxed = encodeMuxed(client.rawPublicKey(), 77n);
    const operations = [auth(muxed), webAuth()];
    expect(readChallenge(challenge({ operations }), options).subject).toEqual({
      account: client.publicKey(),
      muxed,
      sub: muxed,
    });
    expect(read({ operations, memo: Memo.id('1') })).toBe('memo_with_muxed');
  });
});

describe('rule 7, the signers of an account that exists', () => {
  test('weights are added up to the medium threshold', () => {
    const multisig = account(3, [client, 1], [cosigner, 2], [stranger, 1]);
    expect(login({ signers: [server, client, cosigner] }, multisig)).toBe('accepted');
    expect(login({ signers: [server, cosigner, stranger] }, multisig)).toBe('accepted');
    expect(login({ signers: [server, client, stranger] }, multisig)).toBe('weight_too_low');
    expect(login({ signers: [server, cosigner] }, multisig)).toBe('weight_too_low');
  });

  test('the master key is not needed when others have the weight', () => {
    expect(login({ signers: [server, cosigner] }, account(1, [client, 0], [cosigner, 1]))).toBe('accepted');
  });

  test('with a threshold of 0 a weight of 1 is still needed', () => {
    expect(login({}, account(0, [client, 1]))).toBe('accepted');
    expect(login({}, account(0, [client, 0]))).toBe('weight_too_low');
  });

  test('a signature of nobody known is refused, whatever the others weigh', () => {
    expect(login({ signers: [server, client, stranger] }, account(1, [client, 9]))).toBe('signer_unknown');
    expect(login({ signers: [server, stranger] }, account(0, [client, 1]))).toBe('signer_unknown');
  });

  test('a signature that occurs twice is refused', () => {
    expect(login({ signers: [server, client, client] }, account(1, [client, 1]))).toBe('signature_twice');
    expect(login({ signers: [server, server, client] }, account(1, [client, 1]))).toBe('signature_twice');
  });

  test('hash and pre-authorised signers do not count', () => {
    const preAuthorised = `T${'A'.repeat(55)}`;
    const mixed = account(2, [client, 1], [`X${'A'.repeat(55)}`, 5], [preAuthorised, 5]);
    expect(login({}, mixed)).toBe('weight_too_low');
  });

  test('an account without signers that we know lets nobody in', () => {
    expect(login({}, account(0))).toBe('signer_unknown');
  });

  test("a wrong signature under the client's hint is refused before the ledger is asked", () => {
    const broken = Buffer.from(challenge(), 'base64');
    broken[broken.length - 5]! ^= 1;
    expect(verdict(() => readChallenge(broken.toString('base64'), options))).toBe('client_signature_wrong');
  });
});

describe('rule 8, an account that does not exist', () => {
  test('its master key alone logs in, with or without a client domain', () => {
    expect(login({}, undefined)).toBe('accepted');
    const operations = [auth(), webAuth(), walletDomain()];
    expect(login({ operations, signers: [server, client, wallet] }, undefined)).toBe('accepted');
  });

  test('another key, or another key beside it, is refused', () => {
    expect(login({ signers: [server, cosigner] }, undefined)).toBe('master_signature_required');
    expect(login({ signers: [server, client, cosigner] }, undefined)).toBe('master_signature_required');
  });
});

describe('rule 9, the client domain', () => {
  const operations = [auth(), webAuth(), walletDomain()];

  test('it is told when its key signed', () => {
    const signed = challenge({ operations, signers: [server, wallet, client] });
    expect(readChallenge(signed, options).clientDomain).toEqual({
      domain: 'wallet.example',
      account: wallet.publicKey(),
    });
  });

  test('it is refused when its key did not sign', () => {
    expect(read({ operations })).toBe('client_domain_signature_missing');
  });

  test('neither its key nor ours logs anybody in by a second, different signature', () => {
    // Ed25519 lets the owner of a key sign the same hash in many ways, so that this cannot rest on equal bytes.
    const known = readChallenge(challenge({ operations, signers: [server, wallet, client] }), options);
    for (const key of [server, wallet]) {
      const hash = Buffer.from(known.hash, 'hex');
      const again = { hint: key.signatureHint(), signature: key.sign(hash) };
      const subject = { account: key.publicKey(), sub: key.publicKey() };
      const forged = { ...known, subject, signatures: [again] };
      expect(verdict(() => verifySigners(forged, account(1, [key, 5]), serverKey))).toBe('signer_unknown');
      expect(verdict(() => verifySigners(forged, undefined, serverKey))).toBe('master_signature_required');
    }
  });

  test("its signature does not count towards the client's weight", () => {
    expect(read({ operations, signers: [server, wallet] })).toBe('client_signature_missing');
    const signers = [server, client, wallet];
    expect(login({ operations, signers }, account(2, [client, 1], [wallet, 5]))).toBe('weight_too_low');
    expect(login({ operations, signers }, account(1, [client, 1], [wallet, 5]))).toBe('accepted');
    const itself = [auth(wallet.publicKey()), webAuth(), walletDomain()];
    expect(read({ operations: itself, signers: [server, wallet] })).toBe('client_signature_missing');
  });
});
