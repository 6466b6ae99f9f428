import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { conditionsPage } from './conditions-page.ts';
import type { ConditionReason } from './reason-table.ts';
import { REASON_TABLE } from './reason-table.ts';
import { CONDITION_TYPES, finding, remedyOf, stemOf, summarize, type Finding } from './reasons.ts';

const rows = Object.entries(REASON_TABLE).flatMap(([type, reasons]) =>
  Object.entries(reasons).map(([reason, row]): [string, string, ConditionReason] => [type, reason, row]),
);

const HEALTHY: readonly Finding[] = [
  finding('Accepted', 'Valid'),
  finding('SecretsReady', 'Valid'),
  finding('DatabaseReady', 'Migrated'),
  finding('LedgerReady', 'Funded'),
  finding('IntegrationReady', 'Answering'),
  finding('CertificateReady', 'Issued'),
  finding('ServerReady', 'Available'),
  finding('WatcherReady', 'Watching'),
  finding('BrandingReady', 'BuiltIn'),
  finding('PaymentsActive', 'Active'),
];
const but = (...changed: readonly Finding[]): readonly Finding[] => [
  ...HEALTHY.filter(({ type }) => !changed.some((one) => one.type === type)),
  ...changed,
];

describe('the table of reasons', () => {
  test('docs/conditions.md is what it says', () => {
    expect(readFileSync(new URL('../../docs/conditions.md', import.meta.url), 'utf8')).toBe(conditionsPage());
  });

  test('docs/conditions-examples.md, taken from a run, still says what the table says', () => {
    const page = readFileSync(new URL('../../docs/conditions-examples.md', import.meta.url), 'utf8');
    const condition =
      /Message: +(.*)\n +Observed Generation: .*\n +Reason: +(\w+)\n +Status: +(\w+)\n +Type: +(\w+)/g;
    const shown = [...page.matchAll(condition)].map(
      ([, message = '', reason = '', status = '', type = '']) => ({
        type,
        reason,
        status,
        message,
      }),
    );
    expect(shown.length).toBeGreaterThan(7 * 5);
    for (const { type, reason, status, message } of shown) {
      const row = rows.find(([ofType, name]) => ofType === type && name === reason)?.[2];
      expect([type, reason, row?.status]).toEqual([type, reason, status]);
      expect(message.startsWith(stemOf(row?.sentence ?? '?'))).toBe(true);
    }
    const broken = [...page.matchAll(/^## \w+: (\w+ \w+)$/gm)].map(([, what]) => what);
    expect(broken).toHaveLength(7);
    for (const what of broken) expect(shown.map(({ type, reason }) => `${type} ${reason}`)).toContain(what);
  });

  test('has every type, each with a good reason', () => {
    expect(Object.keys(REASON_TABLE)).toEqual([...CONDITION_TYPES]);
    const good = new Set(rows.filter(([, , { status }]) => status === 'True').map(([type]) => type));
    expect([...good]).toEqual([...CONDITION_TYPES]);
  });

  test.each(rows)('%s/%s is CamelCase, said in a sentence, with a remedy if it is bad', (_, reason, row) => {
    expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(row.sentence).toMatch(/^[A-Za-z].*\.$/);
    expect(row.sentence.length).toBeLessThan(200);
    expect(row.remedy ?? 'None.').toMatch(/^[A-Z].*\.$/);
    expect(row.status === 'False' && row.remedy === undefined).toBe(false);
  });
});

describe('a finding', () => {
  test('carries the status of its reason, and in one sentence the reason and the case', () => {
    expect(finding('SecretsReady', 'KeyMissing', 'harbor-keys/srt')).toEqual({
      type: 'SecretsReady',
      status: 'False',
      reason: 'KeyMissing',
      message: 'A Secret lacks a key: harbor-keys/srt.',
    });
    expect(remedyOf('SecretsReady', 'KeyMissing')).toBe('Add the named key.');
    expect(finding('Accepted', 'InvalidSpec', 'x'.repeat(5_000)).message).toHaveLength(1_024);
  });
});

test('a case of which nothing is said leaves the sentence of the reason as it is', () => {
  const { message } = finding('CertificateReady', 'Failed');
  for (const detail of ['', ' ', '.'])
    expect(finding('CertificateReady', 'Failed', detail).message).toBe(message);
});

describe('Ready', () => {
  test.each<[string, readonly Finding[], string, string]>([
    ['everything is well', HEALTHY, 'True', 'Serving'],
    ['money was stopped', but(finding('PaymentsActive', 'SuspendedBySpec')), 'True', 'Serving'],
    ['a branding is broken', but(finding('BrandingReady', 'FilesRefused')), 'True', 'Serving'],
    ['reconciling is paused', but(finding('Reconciling', 'Paused')), 'True', 'Serving'],
    ['something rolls out', but(finding('ServerReady', 'RollingOut')), 'Unknown', 'Progressing'],
    ['nothing is known', [], 'Unknown', 'Progressing'],
    ['one is not known', HEALTHY.slice(1), 'Unknown', 'Progressing'],
    ['the spec is refused', [finding('Accepted', 'AccountConflict')], 'False', 'NotAccepted'],
    ['a trustline is missing', but(finding('LedgerReady', 'TrustlineMissing')), 'False', 'NotReady'],
  ])('when %s', (_, findings, status, reason) => {
    expect(summarize(findings)).toMatchObject({ type: 'Ready', status, reason });
  });

  test('names the cause before what it causes, and what is broken before what is unknown', () => {
    const broken = but(
      finding('WatcherReady', 'Unavailable'),
      finding('SecretsReady', 'SecretMissing', 'harbor-keys'),
      finding('DatabaseReady', 'Migrating'),
    );
    expect(summarize(broken).message).toContain('SecretsReady: ');
    expect(summarize(broken.toReversed()).message).toBe(summarize(broken).message);
  });
});

test('a message is cut to what the API takes, between characters', () => {
  for (const before of ['', 'a']) {
    const { message } = finding('Accepted', 'InvalidSpec', before + '𝄞'.repeat(1_000));
    expect(message.length).toBeLessThanOrEqual(1_024);
    expect(message.isWellFormed()).toBe(true);
  }
});
