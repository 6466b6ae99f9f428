import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { budgetOf, createBudget, defaultBudget } from './budget.ts';
import { BudgetExhausted, LedgerUnavailable } from './errors.ts';
import { createFakeClock } from '../runtime/fake-clock.ts';
import type { Caller } from './types.ts';

const FAR = Number.MAX_SAFE_INTEGER;

describe('the request budget', () => {
  test('lets a burst through at once and then one request an interval', async () => {
    const clock = createFakeClock(1_000_000);
    const budget = createBudget({ perSecond: 2, burst: 3 }, clock);
    const startedAt = clock.now();
    const passedAt: number[] = [];
    const all = Array.from({ length: 6 }, async () => {
      await budget.take('own', FAR);
      passedAt.push(clock.now() - startedAt);
    });
    await clock.advance(10_000);
    await Promise.all(all);
    expect(passedAt).toEqual([0, 0, 0, 500, 1000, 1500]);
  });

  test('refuses at once what would have to wait past its deadline, and takes no room for it', async () => {
    const clock = createFakeClock(1_000_000);
    const budget = createBudget({ perSecond: 1, burst: 1 }, clock);
    await budget.take('own', FAR);
    const refused = budget.take('own', clock.now() + 999);
    await expect(refused).rejects.toThrow(BudgetExhausted);
    await expect(refused).rejects.toMatchObject({
      code: 'ledger_budget_exhausted',
      retryable: true,
      retryAfterMs: 1000,
    });
    await expect(refused).rejects.toBeInstanceOf(LedgerUnavailable);
    await clock.advance(1000);
    await budget.take('own', clock.now());
  });

  test('keeps strangers to their share while our own calls still pass', async () => {
    const clock = createFakeClock(1_000_000);
    const budget = createBudget({ perSecond: 10, burst: 10, strangersShare: 0.3 }, clock);
    const now = clock.now();
    for (let count = 0; count < 3; count += 1) await budget.take('stranger', now);
    await expect(budget.take('stranger', now)).rejects.toThrow('stranger');
    for (let count = 0; count < 7; count += 1) await budget.take('own', now);
    await expect(budget.take('own', now)).rejects.toThrow(BudgetExhausted);
  });

  test('never lets more through than rate and burst allow, nor more strangers than their share', async () => {
    const caller = fc.constantFrom<Caller>('own', 'stranger');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(caller, fc.nat({ max: 400 })), { maxLength: 60 }), async (calls) => {
        const clock = createFakeClock(1_000_000);
        const startedAt = clock.now();
        const budget = createBudget({ perSecond: 10, burst: 10, strangersShare: 0.3 }, clock);
        const passed = { own: 0, stranger: 0 };
        for (const [who, pauseMs] of calls) {
          await clock.advance(pauseMs);
          await budget.take(who, clock.now()).then(
            () => (passed[who] += 1),
            () => undefined,
          );
        }
        const seconds = (clock.now() - startedAt) / 1000;
        expect(passed.own + passed.stranger).toBeLessThanOrEqual(10 + seconds * 10);
        expect(passed.stranger).toBeLessThanOrEqual(3 + seconds * 3 + 1e-9);
      }),
    );
  });

  test('is one request a second where the SDF runs one of the Horizons, and generous at a Horizon of our own', () => {
    expect(defaultBudget(['https://horizon.stellar.org']).perSecond).toBe(1);
    expect(defaultBudget(['https://mine.example', 'https://horizon-testnet.stellar.org/']).perSecond).toBe(1);
    expect(defaultBudget(['https://mine.example/horizon.stellar.org']).perSecond).toBe(1000);
  });

  test('leaves room for a start, however low its rate', () => {
    expect(budgetOf(1)).toEqual({ perSecond: 1, burst: 60 });
    expect(budgetOf(100)).toEqual({ perSecond: 100, burst: 500 });
  });
});
