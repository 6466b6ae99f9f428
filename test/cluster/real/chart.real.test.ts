import { expect, test } from '@jest/globals';
import { theCluster, tool } from './cluster.ts';

test('helm test: a pod of the release asks the operator, is content, and helm prints what it says', async () => {
  const cluster = theCluster();
  const place = ['--namespace', 'capstan-system'];
  const said = await tool(cluster, 'helm', ['test', 'capstan', ...place, '--logs', '--timeout', '120s']);
  expect(said).toMatch(/TEST SUITE: +capstan-test\n/);
  expect(said).toMatch(/Phase: +Succeeded\n/);
  expect(said).toMatch(/the operator [\d.]+ is ready[^\n]*\nthe API server serves Anchor in capstan\.dev/);
}, 150_000);
