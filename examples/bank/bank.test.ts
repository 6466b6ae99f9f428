import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createIntegrationClient, type IntegrationClient } from '../../core/integration/client.ts';
import { aTransaction, newKey } from '../../core/integration/testing/loopback.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { checkIntegration } from '../../integration/check.ts';

interface Bank extends AsyncDisposable {
  readonly url: string;
  readonly client: IntegrationClient;
  readonly process: ChildProcess;
  readonly stderr: () => string;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

let folder = '';
const key = newKey();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bank-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function startBank(environment: NodeJS.ProcessEnv = {}): Promise<Bank> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bank.ts')], {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      BANK_DATA: folder,
      CAPSTAN_INTEGRATION_KEY: key,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data'),
    exited.then(() => Promise.reject(new Error(errors))),
  ])) as [string];
  const url = line.replace(/^[^]*(http:\/\/[^/]*)[^]*$/, '$1').replace('localhost', '127.0.0.1');
  const client = createIntegrationClient({ baseUrl: url, key, clock: systemClock });
  const kill = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    url,
    client,
    process: child,
    stderr: () => errors,
    kill,
    async [Symbol.asyncDispose]() {
      await client.close();
      await kill('SIGKILL');
    },
  };
}

const customer = { first_name: 'Ada', last_name: 'Lovelace', email_address: 'ada@example.com' };
const deposit = aTransaction({ id: 'd-1', amountExpected: '100' });
const process_ = (id: string, payoutAmount = '9') => ({
  transaction: aTransaction({ id, kind: 'withdrawal', status: 'pending_anchor' }),
  receipt: { stellarTransactionId: 'ab'.repeat(32), amount: '10' },
  payoutAmount,
});

async function api(
  bank: Bank,
  path: string,
  body?: object,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const post = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  };
  const response = await fetch(`${bank.url}/bank/api/${path}`, body && post);
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

describe('the bank', () => {
  test('keeps the contract, as the checker sees it, and books nothing for the checker', async () => {
    await using bank = await startBank();
    const results = await checkIntegration(bank.url, key);
    expect(results.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(results.length).toBeGreaterThan(25);
    expect((await api(bank, 'deposits')).json).toEqual({ deposits: [] });
    expect((await api(bank, 'payouts')).json).toEqual({ payouts: [] });
    expect(bank.stderr()).not.toMatch(/Experimental|Warning/);
  });

  test('asks who the customer is once, by account and memo, and says what is wrong', async () => {
    await using bank = await startBank();
    const call = { transaction: deposit, lang: 'en' };
    expect(await bank.client.call('interactive/form', call)).toMatchObject({ step: 'customer' });
    const bad = { ...call, values: { ...customer, email_address: 'ada', first_name: ' ' } };
    expect(await bank.client.call('interactive/submit', bad, { idempotencyKey: 's-1' })).toEqual({
      errors: { first_name: expect.any(String), email_address: expect.any(String) },
    });
    const good = { ...call, step: 'customer', values: customer };
    expect(await bank.client.call('interactive/submit', good, { idempotencyKey: 's-2' })).toEqual({
      accepted: true,
    });
    expect(await bank.client.call('interactive/form', call)).toMatchObject({
      step: 'details',
      back: 'customer',
    });
    const answers = {
      ...call,
      step: 'details',
      values: { nationality: 'NGA', city: 'Lagos', birth_date: '' },
    };
    expect(await bank.client.call('interactive/submit', answers, { idempotencyKey: 's-3' })).toEqual({
      accepted: true,
    });
    expect(await bank.client.call('interactive/form', call)).toEqual({ done: true });
    const shown = await bank.client.call('interactive/form', { ...call, show: 'details' });
    expect(JSON.stringify(shown)).toContain('"nationality","label":"Nationality","value":"NGA"');
    expect(await bank.client.call('interactive/form', { ...call, show: 'customer' })).toMatchObject({
      step: 'customer',
      fields: [{ value: customer.first_name }, {}, {}],
    });
    const other = { ...call, transaction: { ...deposit, accountMemo: '7' } };
    expect(await bank.client.call('interactive/form', other)).toMatchObject({ step: 'customer' });
  });

  test('tells how to pay, and then that the money came, with the amount that came', async () => {
    await using bank = await startBank();
    const { how } = await bank.client.call('interactive/instructions', { transaction: deposit, lang: 'en' });
    const { how: again } = await bank.client.call('interactive/instructions', {
      transaction: deposit,
      lang: 'en',
    });
    expect(again).toEqual(how);
    expect(how.find(({ label }) => label === 'Account')?.value).toMatch(/^XX\d\d CPST( \d{4}){2} \d\d$/);
    expect((await bank.client.call('deposits/poll', { deposits: [deposit] })).results).toEqual([]);
    const received = await api(bank, 'deposits/d-1/receive', { amount: '90.50', reference: 'WIRE-1' });
    expect(received).toMatchObject({ status: 200, json: { received: '90.5', reference: 'WIRE-1' } });
    const arrived = {
      id: 'd-1',
      outcome: 'arrived',
      amount: '90.5',
      reference: 'WIRE-1',
      at: expect.any(String),
    };
    for (let i = 0; i < 2; i += 1) {
      expect((await bank.client.call('deposits/poll', { deposits: [deposit] })).results).toEqual([arrived]);
    }
    const known = { ...deposit, bankReference: 'WIRE-1', status: 'pending_anchor' as const };
    expect((await bank.client.call('deposits/poll', { deposits: [known] })).results).toEqual([]);
  });

  test('lets nothing come in twice, under a used reference, without an amount, or unexpected', async () => {
    await using bank = await startBank();
    const { amountExpected: _, ...open } = aTransaction({ id: 'd-2' });
    await bank.client.call('deposits/poll', { deposits: [deposit, open] });
    expect((await api(bank, 'deposits/d-1/receive', { reference: 'WIRE-1' })).status).toBe(200);
    expect((await api(bank, 'deposits/d-1/receive', {})).status).toBe(409);
    expect((await api(bank, 'deposits/d-2/receive', { amount: '5', reference: 'WIRE-1' })).status).toBe(409);
    expect((await api(bank, 'deposits/d-2/receive', {})).status).toBe(400);
    for (const amount of ['-1', '0', '1e3', 'ten']) {
      expect((await api(bank, 'deposits/d-2/receive', { amount })).status).toBe(400);
    }
    expect((await api(bank, 'deposits/d-9/receive', { amount: '5' })).status).toBe(404);
  });

  test('tells a hold before the money, and the money after the approval', async () => {
    await using bank = await startBank();
    const poll = async (changes = {}) =>
      (await bank.client.call('deposits/poll', { deposits: [{ ...deposit, ...changes }] })).results;
    await poll();
    await api(bank, 'deposits/d-1/hold', { reason: 'source of funds' });
    await api(bank, 'deposits/d-1/receive', {});
    expect(await poll()).toEqual([{ id: 'd-1', outcome: 'held', reason: 'source of funds' }]);
    expect(await poll({ status: 'on_hold' })).toEqual([]);
    await api(bank, 'deposits/d-1/approve', {});
    expect(await poll({ status: 'on_hold' })).toEqual([{ id: 'd-1', outcome: 'approved' }]);
    expect(await poll()).toMatchObject([{ outcome: 'arrived', amount: '100' }]);
    await api(bank, 'deposits/d-1/refuse', {});
    expect(await poll()).toMatchObject([{ outcome: 'refused' }]);
  });

  test('pays out once for a key, and never a withdrawal under two keys', async () => {
    await using bank = await startBank();
    const pay = (id: string, idempotencyKey: string) =>
      bank.client.call('withdrawals/process', process_(id), { idempotencyKey });
    const answers = await Promise.all([pay('w-1', 'k-1'), pay('w-1', 'k-1'), pay('w-1', 'k-1')]);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ outcome: 'completed', amount: '9' });
    expect(await pay('w-1', 'k-2')).toMatchObject({ outcome: 'blocked' });
    await expect(pay('w-2', 'k-1')).rejects.toThrow(/status 422/);
    expect((await api(bank, 'payouts')).json['payouts']).toHaveLength(1);
  });

  test('says that a slow payout is under way, and by the poll when it is done', async () => {
    await using bank = await startBank({ BANK_PAYOUT_DELAY_MS: '700' });
    const call = process_('w-1');
    const first = await bank.client.call('withdrawals/process', call, { idempotencyKey: 'k-1' });
    expect(first).toMatchObject({ outcome: 'pending_external', eta: 1 });
    const withdrawals = [{ ...call.transaction, status: 'pending_external' as const }];
    expect((await bank.client.call('withdrawals/poll', { withdrawals })).results).toEqual([]);
    await systemClock.sleep(800);
    const { results } = await bank.client.call('withdrawals/poll', { withdrawals });
    const { reference } = first as { reference: string };
    expect(results).toMatchObject([{ id: 'w-1', outcome: 'completed', amount: '9', reference }]);
  });

  test('sends back what came in and no more, once for a key', async () => {
    await using bank = await startBank();
    await bank.client.call('deposits/poll', { deposits: [deposit] });
    const refund = (amount: string, idempotencyKey: string) =>
      bank.client.call(
        'deposits/refund',
        { transaction: deposit, amount, reason: 'late' },
        { idempotencyKey },
      );
    expect(await refund('10', 'r-0')).toMatchObject({ outcome: 'blocked' });
    await api(bank, 'deposits/d-1/receive', {});
    const first = await refund('60', 'r-1');
    expect(first).toMatchObject({ outcome: 'refunded', amount: '60' });
    expect(await refund('60', 'r-1')).toEqual(first);
    expect(await refund('60', 'r-2')).toEqual({
      outcome: 'blocked',
      reason: 'Of this transfer 40 can be sent back.',
    });
    expect(await refund('40', 'r-3')).toMatchObject({ outcome: 'refunded' });
    expect((await api(bank, 'refunds')).json['refunds']).toHaveLength(2);
  });

  test('puts a trustline to whoever holds the issuer’s key, once, unless the customer is held or refused', async () => {
    await using bank = await startBank();
    await bank.client.call('deposits/poll', { deposits: [deposit] });
    const authorize = (idempotencyKey: string) =>
      bank.client.call(
        'trustlines/authorize',
        { asset: deposit.asset, account: deposit.account, transaction: deposit },
        { idempotencyKey },
      );
    await api(bank, 'deposits/d-1/hold', { reason: 'a look' });
    expect(await authorize('a-1')).toEqual({ outcome: 'retry', after: 60, reason: 'a look' });
    await api(bank, 'deposits/d-1/approve', {});
    expect(await authorize('a-1')).toEqual({ outcome: 'authorized' });
    expect(await authorize('a-2')).toEqual({ outcome: 'authorized' });
    expect((await api(bank, 'authorizations')).json['authorizations']).toMatchObject([
      { id: 'd-1', account: deposit.account },
    ]);
    await api(bank, 'deposits/d-1/refuse', { reason: 'sanctions' });
    expect(await authorize('a-3')).toEqual({ outcome: 'refused', reason: 'sanctions' });
  });

  test('receives by itself after a while when it is told to, but not what is held', async () => {
    await using bank = await startBank({ BANK_AUTO_RECEIVE_MS: '200' });
    const held = aTransaction({ id: 'd-2' });
    await bank.client.call('deposits/poll', { deposits: [deposit, held] });
    await api(bank, 'deposits/d-2/hold', {});
    await systemClock.sleep(300);
    const { results } = await bank.client.call('deposits/poll', { deposits: [deposit, held] });
    expect(results).toMatchObject([
      { id: 'd-1', outcome: 'arrived', amount: '100' },
      { id: 'd-2', outcome: 'held' },
    ]);
  });
});

describe('after kill -9 and a restart', () => {
  test('the books are as they were: the same key pays once, the same money comes once', async () => {
    const call = process_('w-1');
    await using first = await startBank();
    await first.client.call('deposits/poll', { deposits: [deposit] });
    await api(first, 'deposits/d-1/receive', { reference: 'WIRE-1' });
    const paid = await first.client.call('withdrawals/process', call, { idempotencyKey: 'k-1' });
    await first.kill('SIGKILL');
    await using second = await startBank();
    expect(await second.client.call('withdrawals/process', call, { idempotencyKey: 'k-1' })).toEqual(paid);
    expect((await api(second, 'payouts')).json['payouts']).toHaveLength(1);
    expect((await api(second, 'deposits/d-1/receive', {})).status).toBe(409);
    expect((await second.client.call('deposits/poll', { deposits: [deposit] })).results).toMatchObject([
      { outcome: 'arrived', reference: 'WIRE-1' },
    ]);
  });

  test('a payout whose answer never left is not made again, wherever the kill fell', async () => {
    const total = 12;
    for (let round = 0; round < 3; round += 1) {
      const bank = await startBank();
      const calls = Array.from({ length: total }, (_, i) =>
        bank.client
          .call('withdrawals/process', process_(`w-${i}`), { idempotencyKey: `k-${i}` })
          .catch(() => {}),
      );
      await systemClock.sleep(round * 12);
      await bank.kill('SIGKILL');
      await Promise.all([...calls, bank.client.close()]);
    }
    await using bank = await startBank();
    for (let i = 0; i < total; i += 1) {
      const answer = await bank.client.call('withdrawals/process', process_(`w-${i}`), {
        idempotencyKey: `k-${i}`,
      });
      expect(answer.outcome).toBe('completed');
    }
    expect((await api(bank, 'payouts')).json['payouts']).toHaveLength(total);
  });

  test('a polite stop ends with code 0', async () => {
    await using bank = await startBank();
    await bank.client.declaration();
    await bank.client.close();
    expect(await bank.kill('SIGTERM')).toBe(0);
  });
});

describe('the bank’s start', () => {
  test.each([
    ['without a key', { CAPSTAN_INTEGRATION_KEY: '' }, 'Set CAPSTAN_INTEGRATION_KEY'],
    ['with a key that is none', { CAPSTAN_INTEGRATION_KEY: 'whsec_short' }, 'integration key cannot be used'],
    [
      'with a key file that is missing',
      { CAPSTAN_INTEGRATION_KEY: '', CAPSTAN_INTEGRATION_KEY_FILE: '/nowhere/key' },
      'cannot be read',
    ],
    ['with a delay that is no number', { BANK_PAYOUT_DELAY_MS: 'soon' }, 'BANK_PAYOUT_DELAY_MS must be'],
  ])('%s ends with a sentence that says what to do', async (_what, environment, sentence) => {
    await expect(startBank(environment)).rejects.toThrow(sentence);
  });
});
