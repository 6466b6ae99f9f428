import { describe, expect, test } from '@jest/globals';
import type { AnchorStatus, StatusProblem } from '../../core/status/document.ts';
import { bent, contextOf } from '../resources/testing/context.ts';
import type { Knowledge } from './findings.ts';
import { CONDITION_TYPES } from './reasons.ts';
import { testStatus } from '../../core/status/testing/status.ts';
import {
  allFindings as all,
  findingOf as of,
  NOW_MS,
  plan,
  reading,
  rollout,
  ROLLED_OUT,
} from './testing/knowledge.ts';

const silent = (error: string) => ({ atMs: 0, error });

const preflight = (problems: readonly StatusProblem[], ageSeconds = 30) => ({
  preflight: {
    ageSeconds,
    assets: problems.map((problem, index) => ({
      id: `A${index}:G`,
      account: 'G',
      exists: true,
      hasTrustline: true,
      isAuthorized: true,
      problems: [problem],
    })),
    integration: { name: 'bank', version: '1', hooks: [], unknownHooks: [], missing: [] },
  },
});

test('of an anchor that is well every condition is told once, and is True', () => {
  const findings = all();
  expect(findings.map(({ type }) => type).toSorted()).toEqual(
    CONDITION_TYPES.filter((type) => !['Ready', 'Accepted', 'Reconciling'].includes(type)).toSorted(),
  );
  expect(findings.filter(({ status }) => status !== 'True')).toEqual([]);
});

test('before the server has said anything, what it would say is Unknown and nothing is False', () => {
  const findings = all({ reading: undefined });
  expect(findings.filter(({ status }) => status === 'False')).toEqual([]);
  expect(
    findings.filter(({ status }) => status === 'Unknown').map(({ type, reason }) => [type, reason]),
  ).toEqual(
    [
      'SecretsReady',
      'DatabaseReady',
      'LedgerReady',
      'IntegrationReady',
      'WatcherReady',
      'PaymentsActive',
    ].map((type) => [type, 'NotReported']),
  );
});

describe('SecretsReady', () => {
  const key = (code: string, at = 'srt', message = 'say') => ({
    purpose: 'distribution' as const,
    secret: 'harbor-keys',
    key: at,
    ok: false,
    problem: { code, message },
  });
  const keys = (...checks: readonly ReturnType<typeof key>[]) =>
    reading({ keys: { ageSeconds: 1, checks: [...checks] } });

  test.each([
    ['missing', 'KeyMissing'],
    ['malformed', 'KeyMalformed'],
    ['wrong_account', 'WrongAccount'],
    ['of_a_later_release', 'KeyMalformed'],
  ])('a key that is %s is %s and named', (code, reason) => {
    expect(of('SecretsReady', { reading: keys(key(code)) })).toMatchObject({
      status: 'False',
      reason,
      message: expect.stringContaining('Secret harbor-keys, key srt: say'),
    });
  });

  test('names a key once, also where the message does so itself', () => {
    const said = key('wrong_account', 'srt', 'Secret harbor-keys, key srt: holds another seed.');
    expect(of('SecretsReady', { reading: keys(said) }).message.match(/key srt/g)).toHaveLength(1);
  });

  test('tells the keys of the first trouble, three at most', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => key('missing', name));
    const { message } = of('SecretsReady', { reading: keys(...many, key('malformed', 'other')) });
    expect(message).toContain(
      'key a: say; Secret harbor-keys, key b: say; Secret harbor-keys, key c: say; and 2 more',
    );
    expect(message).not.toContain('other');
  });

  test('a Secret that is not there comes before what the server says, the certificate aside', () => {
    const missing = [
      { kind: 'Secret', name: 'harbor-keys' },
      { kind: 'ConfigMap', name: 'brand' },
    ] as const;
    expect(of('SecretsReady', { plan: { ...plan, missing } })).toMatchObject({
      reason: 'SecretMissing',
      message: expect.stringContaining('does not exist: Secret harbor-keys, ConfigMap brand.'),
    });
    const given = contextOf(bent({ tls: { secretName: 'own-tls' } }));
    const known = {
      context: given,
      plan: { ...plan, missing: [{ kind: 'Secret', name: 'own-tls' }] as const },
    };
    expect(of('SecretsReady', known).reason).toBe('Valid');
    expect(of('CertificateReady', known).reason).toBe('SecretMissing');
  });
});

describe('DatabaseReady', () => {
  test.each([
    ['waiting', 'Migrating'],
    ['running', 'Migrating'],
    ['failing', 'MigrationFailed'],
    ['failed', 'MigrationFailed'],
  ] as const)('a migration that is %s is %s', (schema, reason) => {
    expect(of('DatabaseReady', { plan: { ...plan, schema } }).reason).toBe(reason);
  });

  test.each([
    ['answers 503: its status comes out of the database', silent('it answers 503'), 'Unreachable'],
    ['says so itself', reading({ ready: { ok: false, reasons: ['database'] } }), 'Unreachable'],
    ['does not answer at all: nothing is known', silent('ECONNREFUSED'), 'NotReported'],
    ['has an older schema', reading({ schema: { found: 'Migration0001Core', needed: 'x' } }), 'Migrating'],
    ['has no schema', reading({ schema: { needed: 'x' } }), 'Migrating'],
    ['finds no room on its disk', reading({ database: { hasRoom: false } }), 'DiskFull'],
    ['finds room on its disk', reading({ database: { hasRoom: true } }), 'Migrated'],
  ])('a server that %s', (_, said, reason) => {
    expect(of('DatabaseReady', { reading: said }).reason).toBe(reason);
  });

  test('an embedded database that has no ready pod comes first', () => {
    const embedded = contextOf(bent({ database: { embedded: {} } }));
    expect(of('DatabaseReady', { context: embedded, isDatabaseReady: false }).reason).toBe(
      'EmbeddedNotReady',
    );
    expect(of('DatabaseReady', { context: embedded, isDatabaseReady: true }).reason).toBe('Migrated');
    const first = {
      context: embedded,
      isDatabaseReady: false,
      plan: { ...plan, schema: 'waiting' as const },
    };
    expect(of('DatabaseReady', first)).toMatchObject({ status: 'Unknown', reason: 'EmbeddedStarting' });
  });
});

describe('LedgerReady', () => {
  test.each([
    ['account_missing', 'AccountMissing'],
    ['trustline_missing', 'TrustlineMissing'],
    ['not_authorized', 'NotAuthorized'],
    ['signer_insufficient', 'SignerInsufficient'],
    ['balance_low', 'BalanceLow'],
    ['xlm_low', 'XlmLow'],
    ['home_domain_mismatch', 'HomeDomainMismatch'],
  ])('%s is %s', (code, reason) => {
    const problem = { code, message: `said of ${code}` };
    expect(of('LedgerReady', { reading: reading(preflight([problem])) })).toMatchObject({
      status: 'False',
      reason,
      message: expect.stringContaining(problem.message),
    });
  });

  test('of several troubles the worst is the reason, and one of a later release the least', () => {
    const codes = ['home_domain_mismatch', 'balance_low', 'account_missing', 'new_trouble'];
    const problems = codes.map((code) => ({ code, message: code }));
    expect(of('LedgerReady', { reading: reading(preflight(problems)) })).toMatchObject({
      reason: 'AccountMissing',
      message: expect.stringMatching(/: account_missing\.$/),
    });
  });

  test('what the watcher cannot reach, or stopped at, comes before an older preflight', () => {
    const { watcher } = testStatus();
    const away = { ...watcher!, ledger: { error: 'Horizon is away' } };
    expect(of('LedgerReady', { reading: reading({ watcher: away }) }).reason).toBe('HorizonUnreachable');
    const stopped = { ...watcher!, accounts: { GABC: { state: 'stopped', lastError: 'history is gone' } } };
    expect(of('LedgerReady', { reading: reading({ watcher: stopped }) })).toMatchObject({
      reason: 'AccountStopped',
      message: expect.stringContaining('GABC: history is gone'),
    });
  });

  test('is Stale when nobody looked for five minutes', () => {
    expect(of('LedgerReady', { reading: reading(preflight([], 301)) }).reason).toBe('Stale');
    expect(of('LedgerReady', { reading: reading(preflight([], 299)) }).reason).toBe('Funded');
  });
});

describe('IntegrationReady', () => {
  const said = (integration: NonNullable<AnchorStatus['preflight']>['integration']) =>
    reading({ preflight: { ageSeconds: 1, assets: [], integration } });
  const hooks = { name: 'bank', version: '1', hooks: [], unknownHooks: [], missing: ['deposits/poll'] };

  test('wants a ready pod where it runs here, and none where it runs elsewhere', () => {
    const none = { integration: rollout({ ready: 0 }) };
    expect(of('IntegrationReady', none).reason).toBe('NotAvailable');
    const elsewhere = contextOf(bent({ integration: { url: 'https://bank.example' } }));
    expect(of('IntegrationReady', { context: elsewhere, integration: undefined }).reason).toBe('Answering');
  });

  test.each<[string, Partial<Knowledge>, string]>([
    ['not made yet', { integration: undefined }, 'RollingOut'],
    ['on its way', { integration: rollout({ isComplete: false, ready: 0 }) }, 'RollingOut'],
    ['stuck', { integration: rollout({ isComplete: false, isStuck: true, ready: 0 }) }, 'NotAvailable'],
    [
      'on its way beside one that is ready',
      { integration: rollout({ isComplete: false, ready: 1 }) },
      'Answering',
    ],
  ])('of an integration that is %s', (_, change, reason) => {
    expect(of('IntegrationReady', change).reason).toBe(reason);
  });

  test('says which hooks are missing, and why it does not answer', () => {
    expect(of('IntegrationReady', { reading: said(hooks) })).toMatchObject({
      reason: 'HookMissing',
      message: expect.stringContaining('is needed: deposits/poll.'),
    });
    expect(of('IntegrationReady', { reading: said({ error: 'it answers 401' }) })).toMatchObject({
      reason: 'Unreachable',
      message: expect.stringContaining('it answers 401'),
    });
  });
});

describe('CertificateReady', () => {
  test.each([
    ['issued', { state: 'issued' }, 'Issued'],
    ['pending', { state: 'pending' }, 'Pending'],
    ['not there yet', undefined, 'Pending'],
    ['failed', { state: 'failed', message: 'no challenge' }, 'Failed'],
  ] as const)('a certificate that is %s', (_, certificate, reason) => {
    expect(of('CertificateReady', { certificate }).reason).toBe(reason);
  });

  test('cert-manager that is not there is told; no TLS needs none', () => {
    const absent = { plan: { ...plan, missingApis: ['certManager'] as const } };
    expect(of('CertificateReady', absent)).toMatchObject({ status: 'False', reason: 'CertManagerMissing' });
    expect(of('CertificateReady', { context: contextOf() }).reason).toBe('NotNeeded');
  });
});

describe.each([
  ['ServerReady', 'server', '-server', 'Available'],
  ['WatcherReady', 'watcher', '-watch-transactions', 'Watching'],
] as const)('%s', (type, part, suffix, well) => {
  const held = (waitsFor: 'schema' | 'sources') => ({
    plan: {
      ...plan,
      held: [
        {
          id: `apps/v1/Deployment/harbor${suffix}`,
          object: plan.steps.flatMap((step) => (step.do === 'apply' ? [step.object] : []))[0]!,
          waitsFor,
          missing: [{ kind: 'Secret', name: 'harbor-keys' }] as const,
        },
      ],
    },
  });

  test('says what it waits for', () => {
    expect(of(type, held('schema'))).toMatchObject({
      reason: 'Waiting',
      message: expect.stringContaining('waits for is there: the schema.'),
    });
    expect(of(type, held('sources'))).toMatchObject({
      reason: 'Waiting',
      message: expect.stringContaining('waits for is there: Secret harbor-keys.'),
    });
  });

  test.each([
    ['not made yet', undefined, 'RollingOut'],
    ['on its way', rollout({ isComplete: false, ready: 1 }), 'RollingOut'],
    ['stuck', rollout({ isComplete: false, isStuck: true, ready: 1 }), 'Stuck'],
    ['without a ready pod', rollout({ ready: 0 }), 'Unavailable'],
    ['complete', ROLLED_OUT, well],
  ] as const)('a Deployment that is %s', (_, state, reason) => {
    expect(of(type, { [part]: state }).reason).toBe(reason);
  });
});

test('a server of which one pod is away is Unavailable, with the count', () => {
  expect(of('ServerReady', { server: rollout({ ready: 1 }) })).toMatchObject({
    reason: 'Unavailable',
    message: expect.stringContaining('1 of 2 ready.'),
  });
});

test('a Gateway that the spec needs and the cluster has not is told of the server', () => {
  const absent = { plan: { ...plan, missingApis: ['gateway'] as const } };
  expect(of('ServerReady', absent).reason).toBe('GatewayApiMissing');
});

describe('WatcherReady, of a watcher whose pods are well', () => {
  const watcher = (change: Partial<NonNullable<AnchorStatus['watcher']>>) =>
    reading({ watcher: { ...testStatus({}, NOW_MS).watcher!, ...change } });

  test.each([
    ['has not written for a minute', { ageSeconds: 61 }, 'Stale'],
    ['is retrying', { accounts: { GABC: { state: 'retrying', lastError: '503' } } }, 'Lagging'],
    [
      'saw a ledger last that is minutes old',
      { ledger: { sequence: 1, closedAtMs: NOW_MS - 121_000 } },
      'Lagging',
    ],
    ['catches up', { accounts: { GABC: { state: 'catching_up' } } }, 'Watching'],
  ])('one that %s', (_, change, reason) => {
    expect(of('WatcherReady', { reading: watcher(change) }).reason).toBe(reason);
  });
});

describe('PaymentsActive', () => {
  test('the spec comes first: all payments, or those of an asset', () => {
    const stopped = { suspensions: { anchor: 'by hand' } };
    const payments = contextOf(bent({ payments: { suspended: true } }));
    expect(of('PaymentsActive', { context: payments, reading: reading(stopped) })).toMatchObject({
      reason: 'SuspendedBySpec',
      message: expect.stringContaining('settle: all assets.'),
    });
  });

  test.each([
    ['a suspension', { suspensions: { anchor: 'by Jane' } }, 'anchor: by Jane'],
    [
      'a frozen account',
      { frozen: { GABC: 'a payment nobody journalled' } },
      'GABC: a payment nobody journalled',
    ],
  ])('%s is told with its words', (_, change, said) => {
    expect(of('PaymentsActive', { reading: reading(change) })).toMatchObject({
      reason: 'SuspendedByOperator',
      message: expect.stringContaining(said),
    });
  });

  test('what waits for a person is counted', () => {
    const money = { ...testStatus().money, receiptsAlarming: 2, attention: 1 };
    expect(of('PaymentsActive', { reading: reading({ money }) })).toMatchObject({
      reason: 'AttentionNeeded',
      message: expect.stringContaining('a person: 2 receipts, 1 transaction.'),
    });
  });
});
