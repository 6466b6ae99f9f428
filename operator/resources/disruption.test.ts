import { expect, test } from '@jest/globals';
import { disruptionBudgets } from './disruption.ts';
import { bent, contextOf } from './testing/context.ts';

const budgets = (spec: Record<string, unknown> = {}): readonly string[] =>
  disruptionBudgets(contextOf(bent(spec))).map(({ metadata }) => metadata.name);

test('a drain of nodes ends one server and one watcher at a time', () => {
  expect(budgets()).toEqual(['harbor-server', 'harbor-watch-transactions']);
  for (const budget of disruptionBudgets(contextOf()))
    expect(budget).toMatchObject({ spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' } });
});

test('the integration too, where it has several copies here', () => {
  const image = { image: 'bank:1', replicas: 2 };
  expect(budgets({ integration: image })).toContain('harbor-integration');
  expect(budgets({ integration: { image: 'bank:1' } })).not.toContain('harbor-integration');
  expect(budgets({ integration: { url: 'https://bank.example' } })).not.toContain('harbor-integration');
});

test('where there is one copy nothing keeps its node from being drained', () => {
  expect(budgets({ server: { replicas: 1 }, workers: { watcher: { replicas: 1 } } })).toEqual([]);
  expect(budgets({ server: { autoscaling: { min: 1, max: 5 } } })).toEqual(['harbor-watch-transactions']);
});
