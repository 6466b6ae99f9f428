import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Keypair, Operation, TransactionBuilder, xdr } from '@stellar/stellar-sdk';
import { column, openNetwork, pay } from '../test-support.ts';
import type { TestNetwork } from '../test-support.ts';

let network: TestNetwork;
let alice: Keypair;
const clock = 1_800_000_000;
beforeAll(async () => {
  network = await openNetwork({ now: () => clock * 1000 });
  [alice] = (await network.accounts(1)) as [Keypair];
});
afterAll(() => network.close());

/** The refusal of the asynchronous and the synchronous submission, which must agree. */
async function refused(...parameters: Parameters<TestNetwork['build']>) {
  const transaction = await network.build(...parameters);
  const { status, body } = await network.send(transaction);
  expect({ status, tx_status: body.tx_status }).toEqual({ status: 400, tx_status: 'ERROR' });
  const sync = await network.post('/transactions', { tx: transaction.toXDR() });
  const { extras } = sync.body;
  expect(extras?.result_xdr).toBe(body.error_result_xdr);
  expect(body.errorResultXdr).toBe(body.error_result_xdr);
  return { ...extras?.result_codes, xdr: extras?.result_xdr ?? '' };
}

describe('refused at once', () => {
  const operations = () => [pay(network.root, '1')];

  test('a sequence number out of order is tx_bad_seq', async () => {
    const { sequence } = await network.server.loadAccount(alice.publicKey());
    const codes = { transaction: 'tx_bad_seq', xdr: 'AAAAAAAAAGT////7AAAAAA==' };
    expect(await refused(alice, operations(), { sequence: BigInt(sequence) })).toEqual(codes);
    expect(await refused(alice, operations(), { sequence: BigInt(sequence) + 2n })).toEqual(codes);
  });

  test('time bounds that do not hold the ledger’s time are tx_too_late and tx_too_early', async () => {
    const late = await refused(alice, operations(), { maxTime: clock - 5 });
    expect(late).toEqual({ transaction: 'tx_too_late', xdr: 'AAAAAAAAAGT////9AAAAAA==' });
    const early = await refused(alice, operations(), { minTime: clock + 5 });
    expect(early).toMatchObject({ transaction: 'tx_too_early' });
  });

  test('a bid below the base fee is tx_insufficient_fee, and names the fee that would do', async () => {
    const { transaction, xdr: result } = await refused(alice, [...operations(), ...operations()], {
      fee: '99',
    });
    expect(transaction).toBe('tx_insufficient_fee');
    const decoded = xdr.TransactionResult.fromXdr(result, 'base64');
    expect([decoded.feeCharged, decoded.result.type]).toEqual([200n, 'txInsufficientFee']);
  });

  test('no signature, a stranger’s or one for another network is tx_bad_auth; one too many tx_bad_auth_extra', async () => {
    const stranger = Keypair.random();
    expect(await refused(alice, operations(), { signers: [] })).toMatchObject({ transaction: 'tx_bad_auth' });
    expect(await refused(alice, operations(), { signers: [stranger] })).toMatchObject({
      transaction: 'tx_bad_auth',
    });
    expect(await refused(alice, operations(), { passphrase: 'Another Network' })).toMatchObject({
      transaction: 'tx_bad_auth',
    });
    expect(await refused(alice, operations(), { signers: [alice, stranger] })).toMatchObject({
      transaction: 'tx_bad_auth_extra',
    });
  });

  test('an operation of an account that did not sign is tx_failed with op_bad_auth', async () => {
    const codes = await refused(alice, [pay(network.root, '1'), pay(alice, '1', undefined, network.root)]);
    expect(codes).toMatchObject({ transaction: 'tx_failed', operations: ['op_success', 'op_bad_auth'] });
  });

  test('an account that does not exist is tx_no_source_account', async () => {
    expect(await refused(Keypair.random(), operations(), { sequence: 1n })).toMatchObject({
      transaction: 'tx_no_source_account',
    });
  });

  test('a fee that the account cannot pay above its reserve is tx_insufficient_balance', async () => {
    const [poor] = (await network.accounts(1, '1.00001')) as [Keypair];
    expect(await refused(poor, operations(), { fee: '101' })).toMatchObject({
      transaction: 'tx_insufficient_balance',
    });
    expect((await network.run(poor, [Operation.bumpSequence({ bumpTo: '0' })])).code).toBe('tx_success');
  });

  test('a fee bump of a transaction that is out of order tells both codes', async () => {
    const { sequence } = await network.server.loadAccount(alice.publicKey());
    const inner = await network.build(alice, operations(), { sequence: BigInt(sequence) + 9n });
    const bump = TransactionBuilder.buildFeeBumpTransaction(network.root, '200', inner, network.passphrase);
    bump.sign(network.root);
    const { body } = await network.post('/transactions', { tx: bump.toXDR() });
    expect(body.extras?.result_codes).toEqual({
      transaction: 'tx_fee_bump_inner_failed',
      inner_transaction: 'tx_bad_seq',
    });
  });
});

describe('failed in a ledger', () => {
  test('the fee and the sequence number are spent, the payment is not made, the record is kept', async () => {
    const [bob] = (await network.accounts(1)) as [Keypair];
    const before = await network.server.loadAccount(bob.publicKey());
    const { code, operations, hash } = await network.run(bob, [pay(alice, '1'), pay(Keypair.random(), '1')]);
    expect([code, operations]).toEqual(['tx_failed', ['op_success', 'op_no_destination']]);
    const after = await network.server.loadAccount(bob.publicKey());
    expect(BigInt(after.sequence)).toBe(BigInt(before.sequence) + 1n);
    expect(after.balances[0]?.balance).toBe('999.9999800');
    const { body } = await network.get(`/transactions/${hash}`);
    expect(body).toMatchObject({ successful: false, fee_charged: '200', operation_count: 2 });
    const decoded = xdr.TransactionResult.fromXdr(body.result_xdr!, 'base64');
    expect(decoded.result.type).toBe('txFailed');
    const listed = async (extra: string) =>
      column(
        await network.get(`/accounts/${bob.publicKey()}/payments?order=desc&limit=2${extra}`),
        'transaction_successful',
      );
    expect(await listed('')).toEqual([true]);
    expect(await listed('&include_failed=true')).toEqual([false, false]);
  });
});
