import { describe, expect, test } from '@jest/globals';
import { bent, contextOf } from '../resources/testing/context.ts';
import type { Causes } from './causes.ts';
import { findingOf as of, plan, rollout } from './testing/knowledge.ts';

// What pods and requests for certificates tell, in the conditions. findings.test.ts has all else.

const because = (part: string, text: string, isLasting = true): { readonly causes: Causes } => ({
  causes: new Map([[part, { text, isLasting }]]),
});

test('a migration tells what its last try ended with', () => {
  const why = because('migrate', 'pod harbor-migrate-1 ended with: error (migration_failed): Say.');
  for (const schema of ['running', 'failed'] as const) {
    const { message } = of('DatabaseReady', { plan: { ...plan, schema }, ...why });
    expect(message).toMatch(/: pod harbor-migrate-1 ended with: error \(migration_failed\): Say\.$/);
  }
});

test('an embedded database that ended because its disk is full says so, and what else it ended with', () => {
  const embedded = { context: contextOf(bent({ database: { embedded: {} } })), isDatabaseReady: false };
  const full = because('database', 'pod harbor-database-0 ended with: PANIC: No space left on device');
  expect(of('DatabaseReady', { ...embedded, ...full })).toMatchObject({
    status: 'False',
    reason: 'DiskFull',
    message: expect.stringMatching(/^The disk of the database is full.*: pod harbor-database-0 ended/),
  });
  expect(of('DatabaseReady', { ...embedded, ...because('database', 'pod x was killed') })).toMatchObject({
    reason: 'EmbeddedNotReady',
    message: 'The embedded PostgreSQL does not run: pod x was killed.',
  });
  const first = { ...embedded, plan: { ...plan, schema: 'waiting' as const } };
  expect(of('DatabaseReady', { ...first, ...because('database', 'pod x was killed') }).reason).toBe(
    'EmbeddedNotReady',
  );
});

test('of a new version of the integration that does not come up the cause is told while the old one goes on', () => {
  const change = { integration: rollout({ isComplete: false, ready: 1 }) };
  const why = 'pod x cannot get its image bank:9 (not found)';
  expect(of('IntegrationReady', { ...change, ...because('integration', why) })).toEqual({
    type: 'IntegrationReady',
    status: 'False',
    reason: 'Stuck',
    message: `A new version of the integration does not come up; the old one goes on: ${why}.`,
  });
  const isSlow = because('integration', 'pod x runs, but is not ready', false);
  expect(of('IntegrationReady', { ...change, ...isSlow }).reason).toBe('Answering');
  const first = { integration: rollout({ isComplete: false, ready: 0 }) };
  expect(of('IntegrationReady', { ...first, ...because('integration', why) })).toMatchObject({
    reason: 'NotAvailable',
    message: `No pod of the integration is ready: ${why}.`,
  });
  expect(of('IntegrationReady', { ...first, ...isSlow }).reason).toBe('RollingOut');
});

test('says what cert-manager waits for, and that it waits in vain for an issuer that does not exist', () => {
  const known = { certificate: { state: 'pending' as const } };
  expect(of('CertificateReady', { ...known, ...because('certificate', 'order is pending', false) })).toEqual(
    expect.objectContaining({ status: 'Unknown', message: expect.stringMatching(/: order is pending\.$/) }),
  );
  expect(of('CertificateReady', { ...known, ...because('certificate', '"nowhere" not found') })).toEqual(
    expect.objectContaining({ reason: 'Failed', message: expect.stringMatching(/: "nowhere" not found\.$/) }),
  );
});

describe.each([
  ['ServerReady', 'server'],
  ['WatcherReady', 'watcher'],
] as const)('%s, of pods that fail', (type, part) => {
  const why = because(part, 'pod x was killed (OOMKilled)');
  test.each([
    ['a new version, beside the old one', { isComplete: false, ready: 1 }, 'Stuck'],
    ['a new version, and no other', { isComplete: false, ready: 0 }, 'Unavailable'],
    ['what was rolled out', { ready: 0 }, 'Unavailable'],
  ])('%s', (_, change, reason) => {
    expect(of(type, { [part]: rollout(change), ...why })).toMatchObject({
      status: 'False',
      reason,
      message: expect.stringMatching(/pod x was killed \(OOMKilled\)\.$/),
    });
  });

  test('a cause that may pass leaves a roll-out what it is', () => {
    const slow = because(part, 'pod x finds no node', false);
    expect(of(type, { [part]: rollout({ isComplete: false, ready: 1 }), ...slow })).toMatchObject({
      reason: 'RollingOut',
      message: expect.stringMatching(/pod x finds no node\.$/),
    });
  });
});
