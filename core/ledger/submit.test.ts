import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { systemClock } from '../runtime/clock.ts';
import { buildPaymentTransaction } from './envelope.ts';
import { InvalidEnvelope } from './errors.ts';
import { createHorizon } from './horizon.ts';
import { NOT_FOUND, problem, startHorizonServer } from './testing/horizon-server.ts';
import type { HorizonServer, Reply } from './testing/horizon-server.ts';
import { PASSPHRASE } from './testing/resources.ts';
import type { Horizon, HorizonOptions, SubmitOutcome } from './types.ts';

const source = Keypair.random().publicKey();
const { envelope, hash } = buildPaymentTransaction({
  source,
  sequence: 2n,
  operations: [{ kind: 'payment', destination: source, assetId: 'native', amount: 1n }],
  maxTime: 1_900_000_000n,
  feePerOperation: 100n,
  passphrase: PASSPHRASE,
});
const BAD_SEQ = 'AAAAAAAAAGT////7AAAAAA==';
const PENDING: Reply = { status: 201, body: { tx_status: 'PENDING', hash } };
const GONE = 'http://127.0.0.1:1';

let one: HorizonServer;
let two: HorizonServer;
const open: Horizon[] = [];
beforeEach(async () => {
  [one, two] = await Promise.all([startHorizonServer(() => PENDING), startHorizonServer(() => PENDING)]);
});
afterEach(async () => {
  await Promise.all([...open.splice(0), one, two].map((each) => each.close()));
});

async function submitTo(
  urls: readonly string[],
  replaced: Partial<HorizonOptions> = {},
  deadlineMs = 500,
): Promise<SubmitOutcome> {
  const horizon = createHorizon({ urls, passphrase: PASSPHRASE, clock: systemClock, ...replaced });
  open.push(horizon);
  return horizon.submit(envelope, { deadlineMs });
}

describe('submitting asynchronously', () => {
  test('posts the envelope as a form and is pending', async () => {
    expect(await submitTo([one.url])).toEqual({ kind: 'pending', hash, url: one.url });
    expect(one.asked).toHaveLength(1);
    expect(one.asked[0]).toMatchObject({ method: 'POST', path: '/transactions_async' });
    expect(one.asked[0]?.form.get('tx')).toBe(envelope);
    expect(one.asked[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
  });

  const answers: [string, Reply, Partial<SubmitOutcome>][] = [
    ['409 DUPLICATE', { status: 409, body: { tx_status: 'DUPLICATE', hash } }, { kind: 'duplicate' }],
    [
      '503 TRY_AGAIN_LATER',
      { status: 503, body: { tx_status: 'TRY_AGAIN_LATER', hash } },
      { kind: 'try_again_later' },
    ],
    [
      '400 ERROR of Horizon 22',
      { status: 400, body: { tx_status: 'ERROR', hash, errorResultXdr: BAD_SEQ, error_result_xdr: BAD_SEQ } },
      { kind: 'error', resultXdr: BAD_SEQ, resultCodes: { transaction: 'tx_bad_seq' } },
    ],
    [
      '400 ERROR of Horizon 2.32',
      { status: 400, body: { tx_status: 'ERROR', hash, errorResultXdr: BAD_SEQ } },
      { kind: 'error', resultXdr: BAD_SEQ, resultCodes: { transaction: 'tx_bad_seq' } },
    ],
    [
      '400 ERROR with a result of the future',
      { status: 400, body: { tx_status: 'ERROR', hash, errorResultXdr: 'AAAAAAAAAGT///8AAAAAAA==' } },
      { kind: 'error', resultXdr: 'AAAAAAAAAGT///8AAAAAAA==' },
    ],
    [
      'a malformed transaction',
      problem(400, 'transaction_malformed'),
      { kind: 'error', resultCodes: { transaction: 'tx_malformed' } },
    ],
    ['429', problem(429, 'rate_limit_exceeded'), { kind: 'try_again_later' }],
    [
      '504',
      problem(504, 'transaction_submission_timeout', { hash, envelope_xdr: envelope }),
      { kind: 'unknown' },
    ],
    ['503 stale_history', problem(503, 'stale_history'), { kind: 'unknown' }],
    ['a 200 page of a proxy', { status: 200, body: '<html>ok</html>' }, { kind: 'unknown' }],
    ['a 400 page of a proxy', { status: 400, body: '<html>no</html>' }, { kind: 'unknown' }],
    [
      'another hash than ours',
      { status: 201, body: { tx_status: 'PENDING', hash: 'ff' } },
      { kind: 'unknown' },
    ],
    ['a status of the future', { status: 200, body: { tx_status: 'PONDERING', hash } }, { kind: 'unknown' }],
    ['a cut connection', 'cut', { kind: 'unknown' }],
    ['silence', 'hang', { kind: 'unknown' }],
  ];
  test.each(answers)('%s is data', async (_, reply, expected) => {
    one.answer(() => reply);
    const outcome = await submitTo([one.url]);
    expect(outcome).toMatchObject({ ...expected, hash });
    expect(outcome.resultCodes).toEqual(expected.resultCodes);
  });

  test('a Horizon that refuses the connection certainly got nothing', async () => {
    expect(await submitTo([GONE])).toMatchObject({ kind: 'try_again_later', hash });
  });

  test('over our own budget nothing is sent', async () => {
    const horizon = createHorizon({
      urls: [one.url],
      passphrase: PASSPHRASE,
      clock: systemClock,
      budget: { perSecond: 0.01, burst: 1 },
    });
    open.push(horizon);
    await horizon.submit(envelope);
    expect(await horizon.submit(envelope)).toMatchObject({ kind: 'try_again_later', hash });
    expect(one.asked).toHaveLength(1);
  });

  test('an abort is thrown, and so is what is no envelope', async () => {
    one.answer(() => 'hang');
    const horizon = createHorizon({ urls: [one.url], passphrase: PASSPHRASE, clock: systemClock });
    open.push(horizon);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('stopped')), 50);
    await expect(horizon.submit(envelope, { signal: stop.signal })).rejects.toThrow('stopped');
    await expect(horizon.submit('AAAA')).rejects.toThrow(InvalidEnvelope);
  });
});

describe('several Horizons', () => {
  test('the next one is asked while nothing is known', async () => {
    expect(await submitTo([GONE, two.url])).toMatchObject({ kind: 'pending', url: two.url });
    one.answer(() => problem(504, 'transaction_submission_timeout'));
    expect(await submitTo([one.url, two.url])).toMatchObject({ kind: 'pending', url: two.url });
  });

  test('an error after an unknown outcome stays unknown: the first one may have queued it', async () => {
    one.answer(() => 'cut');
    two.answer(() => ({ status: 400, body: { tx_status: 'ERROR', hash, errorResultXdr: BAD_SEQ } }));
    expect(await submitTo([one.url, two.url])).toMatchObject({
      kind: 'unknown',
      resultCodes: { transaction: 'tx_bad_seq' },
    });
  });

  test('the network said no: no other one is asked', async () => {
    one.answer(() => ({ status: 503, body: { tx_status: 'TRY_AGAIN_LATER', hash } }));
    expect(await submitTo([one.url, two.url])).toMatchObject({ kind: 'try_again_later' });
    expect(two.asked).toHaveLength(0);
  });
});

describe('a Horizon without the asynchronous endpoint', () => {
  const fallback = (reply: Reply, missing: Reply = NOT_FOUND): void => {
    one.answer(({ path }) => (path === '/transactions' ? reply : missing));
  };
  const failed = (result_codes: object): Reply =>
    problem(400, 'transaction_failed', { result_codes, result_xdr: BAD_SEQ, envelope_xdr: envelope });

  test.each([NOT_FOUND, { status: 405, body: '' }])('is asked synchronously', async (missing) => {
    fallback({ status: 200, body: { hash, successful: true, ledger: 7 } }, missing);
    expect(await submitTo([one.url])).toEqual({ kind: 'pending', hash, url: one.url });
    expect(one.asked.map(({ path }) => path)).toEqual(['/transactions_async', '/transactions']);
  });

  test("failures carry Horizon's codes, those of a fee bump too", async () => {
    fallback(failed({ transaction: 'tx_failed', operations: ['op_success', 'op_no_trust'] }));
    expect(await submitTo([one.url])).toMatchObject({
      kind: 'error',
      resultXdr: BAD_SEQ,
      resultCodes: { transaction: 'tx_failed', operations: ['op_success', 'op_no_trust'] },
    });
    fallback(failed({ transaction: 'tx_fee_bump_inner_failed', inner_transaction: 'tx_bad_seq' }));
    expect(await submitTo([one.url])).toMatchObject({
      kind: 'error',
      resultCodes: { transaction: 'tx_fee_bump_inner_failed', innerTransaction: 'tx_bad_seq' },
    });
  });

  test('a failure without codes is explained by its XDR', async () => {
    fallback(problem(400, 'transaction_failed', { result_xdr: BAD_SEQ }));
    expect(await submitTo([one.url])).toMatchObject({
      kind: 'error',
      resultCodes: { transaction: 'tx_bad_seq' },
    });
  });

  test('a 504 says nothing', async () => {
    fallback(problem(504, 'transaction_submission_timeout', { hash }));
    expect(await submitTo([one.url])).toMatchObject({ kind: 'unknown' });
  });

  test('without either endpoint nothing was sent', async () => {
    fallback(NOT_FOUND);
    expect(await submitTo([one.url])).toMatchObject({ kind: 'try_again_later' });
  });
});
