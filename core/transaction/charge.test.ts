import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HookRequest } from '../integration/contract.ts';
import type { Asset } from '../spec/anchor.ts';
import { MAX_STROOPS, parseAmount, roundAmount, type Rounding } from './amount.ts';
import {
  AmountRefused,
  charge,
  checkAmount,
  quoteFee,
  type Charge,
  type ChargeRequest,
  type FeeSource,
} from './charge.ts';
import { computeFee, NO_FEE } from './fee.ts';

const direction = (min: string, max?: string, fixed = '0', percent = '0') => ({
  enabled: true,
  min: parseAmount(min),
  ...(max !== undefined && { max: parseAmount(max) }),
  fee: { fixed: parseAmount(fixed), percent },
});
const asset = (extra: Partial<Asset> = {}): Asset => ({
  id: 'SRT:GISSUER',
  code: 'SRT',
  issuer: 'GISSUER',
  distributionAccount: 'GDISTRIBUTION',
  decimals: 2,
  symbol: '$',
  deposit: direction('1', '100', '1', '0.5'),
  withdrawal: direction('10', '200'),
  limits: {},
  dust: 0n,
  suspended: false,
  ...extra,
});
const fee = (total: string) => ({ total: parseAmount(total), lines: [] });
const of = (amountIn: string, extra: Partial<ChargeRequest> = {}) =>
  charge({
    asset: asset(),
    kind: 'deposit',
    amountIn: parseAmount(amountIn),
    fee: NO_FEE,
    rounding: 'down',
    ...extra,
  });
const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as AmountRefused).code;
  }
};

describe('a charge', () => {
  test('takes the fee from what comes in', () => {
    expect(of('50', { fee: fee('1.25') })).toEqual({
      amountIn: parseAmount('50'),
      fee: { total: parseAmount('1.25'), lines: [] },
      amountOut: parseAmount('48.75'),
    });
  });

  test.each([
    ['0', 'deposit', 'amount_too_small'],
    ['0.99', 'deposit', 'amount_too_small'],
    ['9.99', 'withdrawal', 'amount_too_small'],
    ['100.01', 'deposit', 'amount_too_large'],
    ['200.01', 'withdrawal', 'amount_too_large'],
    ['12.345', 'deposit', 'too_many_decimals'],
    ['0.001', 'deposit', 'too_many_decimals'],
  ] as const)('of %s in a %s is refused with %s', (amount, kind, code) => {
    expect(codeOf(() => of(amount, { kind }))).toBe(code);
    expect(codeOf(() => checkAmount(asset(), kind, parseAmount(amount)))).toBe(code);
  });

  test('at the limits is served, and without a maximum up to what the ledger carries', () => {
    expect(of('1').amountOut).toBe(parseAmount('1'));
    expect(of('100').amountOut).toBe(parseAmount('100'));
    const open = asset({ decimals: 7, deposit: direction('0') });
    expect(of('922337203685.4775807', { asset: open }).amountOut).toBe(MAX_STROOPS);
    expect(codeOf(() => of('0', { asset: open }))).toBe('amount_too_small');
  });

  test('of which the fee leaves nothing is an error, not a payment of zero', () => {
    expect(codeOf(() => of('5', { fee: fee('5') }))).toBe('nothing_left');
    expect(codeOf(() => of('5', { fee: fee('7') }))).toBe('nothing_left');
    expect(of('5', { fee: fee('4.99') }).amountOut).toBe(parseAmount('0.01'));
    expect(codeOf(() => of('5', { fee: fee('4.991'), rounding: 'up' }))).toBe('nothing_left');
  });

  test('errors name the limit and the asset in one sentence', () => {
    expect(() => of('0.5')).toThrow('amount is too small: give at least 1 SRT.');
    expect(() => of('1000')).toThrow('amount is too large: give at most 100 SRT.');
    expect(() => of('1.001')).toThrow('amount has too many decimals: SRT takes at most 2 after the point.');
    expect(() => of('2', { fee: fee('3.5') })).toThrow('the fee of 3.5 SRT would leave nothing of it.');
  });

  test('small lines of a fee are rounded together, not each', () => {
    const lines = ['0.004', '0.004', '0.004'].map((amount, i) => ({
      name: String(i),
      amount: parseAmount(amount),
    }));
    const whole = { total: parseAmount('0.012'), lines };
    expect(of('50', { fee: whole }).fee).toEqual({
      total: parseAmount('0.01'),
      lines: [{ name: '2', amount: parseAmount('0.01') }],
    });
    expect(of('50', { fee: whole, rounding: 'up' }).fee.total).toBe(parseAmount('0.02'));
  });

  test('of money that arrived with too many decimals keeps the rest as a line of the fee', () => {
    expect(of('12.3456', { fee: fee('1'), amountIs: 'arrived' })).toEqual({
      amountIn: parseAmount('12.3456'),
      fee: {
        total: parseAmount('1.0056'),
        lines: [
          { name: 'Fee', amount: parseAmount('1') },
          { name: 'Rounding', amount: parseAmount('0.0056') },
        ],
      },
      amountOut: parseAmount('11.34'),
    });
    expect(codeOf(() => of('0.5', { amountIs: 'arrived' }))).toBe('amount_too_small');
  });
});

const stroops = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX_STROOPS }),
  fc.bigInt({ min: 0n, max: 10_000_000_000n }),
);
const requests = fc
  .record({
    decimals: fc.integer({ min: 0, max: 7 }),
    min: fc.bigInt({ min: 0n, max: 50_000_000n }),
    max: fc.option(stroops, { nil: undefined }),
    fixed: fc.bigInt({ min: 0n, max: 100_000_000n }),
    percent: fc.constantFrom('0', '0.5', '1.2345678', '33.3333333', '100', '150'),
    amount: stroops,
    isWhole: fc.boolean(),
    rounding: fc.constantFrom<Rounding>('down', 'up', 'halfUp'),
    kind: fc.constantFrom('deposit' as const, 'withdrawal' as const),
    amountIs: fc.constantFrom('asked' as const, 'arrived' as const),
  })
  .map(({ decimals, min, max, fixed, percent, amount, isWhole, rounding, kind, amountIs }): ChargeRequest => {
    const schedule = { fixed, percent: percent.slice(0, 9) };
    const limits = { enabled: true, min, ...(max !== undefined && { max }), fee: schedule };
    const amountIn = isWhole ? roundAmount(amount, decimals, 'down') : amount;
    return {
      asset: asset({ decimals, deposit: limits, withdrawal: limits }),
      kind,
      amountIn,
      fee: computeFee(amountIn, schedule, 7, 'down'),
      rounding,
      amountIs,
    };
  });

function tryCharge(request: ChargeRequest): Charge | undefined {
  try {
    return charge(request);
  } catch (error) {
    if (error instanceof AmountRefused) return undefined;
    throw error;
  }
}

test('whatever is charged: the sum is exact, nothing is negative or zero, limits and decimals hold', () => {
  let charged = 0;
  fc.assert(
    fc.property(requests, (request) => {
      const { asset: given, kind, amountIn: asked, amountIs } = request;
      const result = tryCharge(request);
      if (!result) return;
      charged += 1;
      const { amountIn, fee: taken, amountOut } = result;
      expect(amountIn).toBe(asked);
      expect(amountOut + taken.total).toBe(amountIn);
      expect(amountOut > 0n && taken.total >= 0n).toBe(true);
      expect(amountIn >= given[kind].min && amountIn <= (given[kind].max ?? MAX_STROOPS)).toBe(true);
      expect(roundAmount(amountOut, given.decimals, 'down')).toBe(amountOut);
      const payable = amountIs === 'asked' ? roundAmount(amountIn, given.decimals, 'down') : amountIn;
      expect(payable).toBe(amountIn);
      for (const line of taken.lines) expect(line.amount > 0n).toBe(true);
      expect(taken.lines.reduce((sum, line) => sum + line.amount, 0n)).toBe(taken.total);
    }),
    { numRuns: 500 },
  );
  expect(charged).toBeGreaterThan(50);
});

describe('the quote of a fee', () => {
  const question = {
    anchor: { payments: { rounding: 'down' as const } },
    asset: asset(),
    kind: 'deposit' as const,
    amountIn: parseAmount('50'),
    lang: 'es',
  };
  const source = (isDeclared: boolean): FeeSource & { readonly asked: HookRequest<'fee'>[] } => {
    const asked: HookRequest<'fee'>[] = [];
    return {
      asked,
      has: async () => isDeclared,
      call: async (_hook, request) => {
        asked.push(request);
        return { total: '2.5', details: [{ name: 'Wire', amount: '2.5', description: 'By wire' }] };
      },
    };
  };

  test('is the schedule of the asset without an integration, or without its hook', async () => {
    const expected = computeFee(parseAmount('50'), question.asset.deposit.fee, 2, 'down');
    expect(expected.total).toBe(parseAmount('1.25'));
    expect(await quoteFee(question)).toEqual(expected);
    const silent = source(false);
    expect(await quoteFee({ ...question, integration: silent })).toEqual(expected);
    expect(silent.asked).toEqual([]);
  });

  test('is the integration’s, which is told all there is', async () => {
    const integration = source(true);
    expect(await quoteFee({ ...question, integration, type: 'SEPA' })).toEqual({
      total: parseAmount('2.5'),
      lines: [{ name: 'Wire', amount: parseAmount('2.5'), description: 'By wire' }],
    });
    expect(integration.asked).toEqual([
      {
        operation: 'deposit',
        asset: { code: 'SRT', issuer: 'GISSUER' },
        amount: '50',
        lang: 'es',
        type: 'SEPA',
      },
    ]);
    await quoteFee({ ...question, asset: { ...nativeAsset() }, kind: 'withdrawal', integration });
    expect(integration.asked[1]).toMatchObject({ operation: 'withdrawal', asset: { code: 'native' } });
  });

  test('fails when the integration fails: a customer never sees another fee instead', async () => {
    const integration: FeeSource = {
      has: async () => true,
      call: () => Promise.reject(new Error('away')),
    };
    await expect(quoteFee({ ...question, integration })).rejects.toThrow('away');
  });
});

function nativeAsset(): Asset {
  const { issuer: _issuer, ...rest } = asset({ id: 'native', code: 'native', decimals: 7 });
  return rest;
}
