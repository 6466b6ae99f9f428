import { describe, expect, test } from '@jest/globals';
import { LATEST_MIGRATION } from '../../core/database/migrations/names.ts';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { IMMUTABLE_ANNOTATION } from '../resources/build.ts';
import type { BuildContext } from '../resources/context.ts';
import { DATABASE_ANNOTATION } from '../resources/jobs.ts';
import { schemaNumber } from '../resources/names.ts';
import { bent, childrenOf, contextOf } from '../resources/testing/context.ts';
import { forManyAnchors } from '../resources/testing/arbitrary.ts';
import type { JobState, Observed, ObservedChild } from './observed.ts';
import { planAnchor, type Plan } from './plan.ts';

const JOB = `harbor-migrate-${schemaNumber(LATEST_MIGRATION)}`;
const NOTHING: Observed = {
  children: [],
  isSynced: true,
  isDatabaseReady: true,
  suspendWorkers: false,
};

/** The cluster as it is when a plan for `context` has been carried out, its migration Job being done or not. */
function world(context: BuildContext, observed: Partial<Observed> = {}): Observed {
  const children = childrenOf(context).map(({ object }, index): ObservedChild => {
    const { annotations = {}, name } = object.metadata;
    const [immutableHash, database] = [annotations[IMMUTABLE_ANNOTATION], annotations[DATABASE_ANNOTATION]];
    return {
      apiVersion: object.apiVersion,
      kind: object.kind,
      name,
      uid: `uid-${index}`,
      ...(immutableHash !== undefined && { immutableHash }),
      ...(database !== undefined && { database }),
    };
  });
  return { ...NOTHING, children, schema: LATEST_MIGRATION, ...observed };
}
const without = (observed: Observed, kind: string): Observed => ({
  ...observed,
  children: observed.children.filter((child) => child.kind !== kind),
});
const written = (plan: Plan): readonly string[] => plan.steps.map(({ id }) => id);
const heldFor = (plan: Plan): Record<string, string> =>
  Object.fromEntries(plan.held.map(({ object, waitsFor }) => [object.metadata.name, waitsFor]));
const stepOf = (plan: Plan, id: string): Loose => plan.steps.find((step) => step.id === id);
const lacking = (context: BuildContext, ...keys: readonly string[]): BuildContext => {
  const has = (key: string): boolean => !keys.includes(key);
  const versions = new Map<string, string>();
  return Object.assign(
    { ...context },
    { versions: Object.assign(versions, { has, get: (key: string) => (has(key) ? '1' : undefined) }) },
  );
};

describe('a new Anchor', () => {
  const context = contextOf();
  const plan = planAnchor(context, NOTHING);

  test('gets its generated Secrets first, by creation', () => {
    const steps = planAnchor(lacking(context, 'Secret/harbor-session', 'Secret/harbor-hmac'), NOTHING).steps;
    expect(steps.slice(0, 2).map((step) => [step.do, step.id])).toEqual([
      ['create', 'v1/Secret/harbor-session'],
      ['create', 'v1/Secret/harbor-hmac'],
    ]);
    expect(steps.filter((step) => step.do === 'create')).toHaveLength(2);
    expect(plan.steps.filter((step) => step.do === 'create')).toEqual([]);
  });

  test('is migrated before anything that needs the schema is made; its CronJobs rest until then', () => {
    expect(plan.schema).toBe('waiting');
    expect(written(plan)).toContain(`batch/v1/Job/${JOB}`);
    expect(heldFor(plan)).toEqual({ 'harbor-server': 'schema', 'harbor-watch-transactions': 'schema' });
    expect(stepOf(plan, 'batch/v1/CronJob/harbor-poll-deposits').object.spec.suspend).toBe(true);
    expect(written(plan)).toContain('apps/v1/Deployment/harbor-integration');
  });

  test('refers to nothing before it is there: accounts, config and policies come before pods', () => {
    const order = written(plan);
    const at = (part: string): number => order.findIndex((id) => id.includes(part));
    expect(at('ServiceAccount')).toBeLessThan(at('ConfigMap'));
    const last = order.findLastIndex((id) => id.includes('NetworkPolicy'));
    expect(last).toBeLessThan(at('Deployment'));
    // The Job reads the config at its start: with the one before it would migrate the database before.
    expect(last).toBeLessThan(at('Job'));
    expect(at('Job')).toBeLessThan(at('Deployment'));
  });
});

describe('the schema', () => {
  const context = contextOf();
  const job = (state: JobState): Partial<Observed> => ({
    migrationJob: { name: JOB, state },
  });
  const old = 'Migration0000Before';
  const { schema: _reported, ...unreported } = world(context);

  test.each<[string, Observed, Plan['schema'], boolean, boolean]>([
    // what is so, gate, is a Job written, is the server written
    ['is reported as new enough', world(context), 'current', false, true],
    [
      'is reported as new enough, and the Job has not told of its end: its node died behind the commit',
      world(context, job('running')),
      'current',
      false,
      true,
    ],
    [
      'is reported as new enough, and the Job is tried again',
      world(context, job('failing')),
      'current',
      false,
      true,
    ],
    [
      'is reported as new enough, and the Job was done',
      world(context, job('complete')),
      'current',
      false,
      true,
    ],
    [
      'is reported as new enough, and the Job had failed',
      world(context, job('failed')),
      'current',
      false,
      true,
    ],
    ['is newer than this release', world(context, { schema: 'Migration9999Later' }), 'current', false, true],
    [
      'is older, and no Job is there',
      without(world(context, { schema: old }), 'Job'),
      'waiting',
      true,
      false,
    ],
    ['was never reported', without(unreported, 'Job'), 'waiting', true, false],
    [
      'is older, and the Job runs',
      world(context, { schema: old, ...job('running') }),
      'running',
      false,
      false,
    ],
    [
      'is older, and the Job tries again',
      world(context, { schema: old, ...job('failing') }),
      'failing',
      false,
      false,
    ],
    [
      'is older, and the Job failed',
      world(context, { schema: old, ...job('failed') }),
      'failed',
      false,
      false,
    ],
    [
      'is older, and the Job is done',
      world(context, { schema: old, ...job('complete') }),
      'migrated',
      false,
      true,
    ],
  ])('%s', (_, observed, gate, isJobWritten, isServerWritten) => {
    const plan = planAnchor(context, observed);
    expect(plan.schema).toBe(gate);
    expect(written(plan).includes(`batch/v1/Job/${JOB}`)).toBe(isJobWritten);
    expect(written(plan).includes('apps/v1/Deployment/harbor-server')).toBe(isServerWritten);
    expect(plan.prune).toEqual([]);
  });

  test('while a Job runs or has failed, what serves is neither changed nor removed, but money can be stopped', () => {
    const stopped = contextOf(bent({ payments: { suspended: true } }));
    const plan = planAnchor(stopped, world(stopped, { schema: old, ...job('failed') }));
    expect(Object.keys(heldFor(plan)).sort()).toEqual([
      'harbor-check-trustlines',
      'harbor-poll-deposits',
      'harbor-server',
      'harbor-watch-transactions',
    ]);
    expect(plan.prune).toEqual([]);
    expect(stepOf(plan, 'v1/ConfigMap/harbor-config').object.data['anchor.yaml']).toContain(
      'suspended: true',
    );
  });

  test('of another database is brought up before anything is rolled out to it', () => {
    const manifest = contextOf().manifest;
    const spec = { ...manifest.spec, database: { secretRef: { name: 'new-db', key: 'url' } } };
    const plan = planAnchor(contextOf({ ...manifest, spec }), without(world(context), 'Job'));
    expect(plan.schema).toBe('waiting');
    expect(heldFor(plan)).toMatchObject({ 'harbor-server': 'schema' });
  });

  test('a new password is tried by the Job before the server gets it', () => {
    const rotated = {
      ...context,
      versions: contextOf(context.manifest, { versions: { 'Secret/harbor-db': '2' } }).versions,
    };
    const plan = planAnchor(rotated, world(context));
    expect(plan.schema).toBe('waiting');
    expect(stepOf(plan, `batch/v1/Job/${JOB}`).do).toBe('replace');
    expect(heldFor(plan)).toMatchObject({ 'harbor-server': 'schema' });
  });

  test('waits for the embedded database', () => {
    const embedded = contextOf(bent({ database: { embedded: {} } }));
    const plan = planAnchor(embedded, { ...NOTHING, isDatabaseReady: false });
    expect(heldFor(plan)[JOB]).toBe('database');
    expect(written(plan)).toContain('apps/v1/StatefulSet/harbor-database');
    expect(heldFor(planAnchor(embedded, NOTHING))[JOB]).toBeUndefined();
  });
});

describe('what is missing', () => {
  test('a Secret holds back only what needs it, and is named', () => {
    const context = contextOf();
    const plan = planAnchor(lacking(context, 'Secret/harbor-keys'), world(context));
    expect(heldFor(plan)).toEqual({ 'harbor-server': 'sources', 'harbor-watch-transactions': 'sources' });
    expect(plan.missing).toEqual([{ kind: 'Secret', name: 'harbor-keys' }]);
    expect(plan.prune).toEqual([]);
  });

  test('a certificate that is still to come holds nothing back', () => {
    const context = contextOf(bent({ tls: { secretName: 'cert' } }));
    const plan = planAnchor(lacking(context, 'Secret/cert'), world(context));
    expect([plan.held, plan.missing]).toEqual([[], [{ kind: 'Secret', name: 'cert' }]]);
  });

  test('an API is named, what needs it is left out, and nothing else waits', () => {
    const manifest = bent({
      tls: { issuerRef: { name: 'letsencrypt' } },
      expose: { gateway: { parentRef: { name: 'public' } } },
    });
    const context = contextOf(manifest);
    const none = { certManager: false, gateway: false, serviceMonitor: false, prometheusRule: false };
    const plan = planAnchor({ ...context, apis: none }, world(context));
    expect([...plan.missingApis].sort()).toEqual([
      'certManager',
      'gateway',
      'prometheusRule',
      'serviceMonitor',
    ]);
    expect(written(plan).filter((id) => /Certificate|HTTPRoute|monitoring/.test(id))).toEqual([]);
    expect(plan.held).toEqual([]);
    expect(written(planAnchor(context, world(context)))).toEqual(
      expect.arrayContaining([
        'cert-manager.io/v1/Certificate/harbor-server',
        'gateway.networking.k8s.io/v1/HTTPRoute/harbor-server',
      ]),
    );
  });
});

describe('what is no longer named', () => {
  const big = contextOf(
    bent({
      database: { embedded: {} },
      expose: { ingress: {} },
      tls: { issuerRef: { name: 'letsencrypt' } },
      server: { replicas: 3 },
    }),
  );
  const small = contextOf(bent({ integration: { url: 'https://bank.example' }, server: { replicas: 1 } }));
  const gone = (observed: Observed): readonly string[] =>
    planAnchor(small, observed)
      .prune.map(({ kind, name }) => `${kind}/${name}`)
      .sort();

  test('is removed', () => {
    expect(gone(world(big))).toEqual([
      'Certificate/harbor-server',
      'Deployment/harbor-integration',
      'Ingress/harbor-server',
      'NetworkPolicy/harbor-database',
      'NetworkPolicy/harbor-integration',
      'PodDisruptionBudget/harbor-server',
      'Service/harbor-database',
      'Service/harbor-integration',
      'ServiceAccount/harbor-database',
      'ServiceAccount/harbor-integration',
      'StatefulSet/harbor-database',
    ]);
  });

  test('stays until caches are synced, when it is being deleted, and when it is a Secret', () => {
    const observed = world(big);
    expect(gone({ ...observed, isSynced: false })).toEqual([]);
    const deleting = observed.children.map((child) => ({ ...child, isDeleting: true }));
    expect(gone({ ...observed, children: deleting })).toEqual([]);
    const secret = { apiVersion: 'v1', kind: 'Secret', name: 'harbor-database', uid: 's' };
    expect(gone({ ...NOTHING, schema: LATEST_MIGRATION, children: [secret] })).toEqual([]);
  });

  test('the Job of an earlier schema goes', () => {
    const earlier = { apiVersion: 'batch/v1', kind: 'Job', name: 'harbor-migrate-0000', uid: 'j' };
    const { children, ...rest } = world(small);
    expect(gone({ ...rest, children: [...children, earlier] })).toEqual(['Job/harbor-migrate-0000']);
  });
});

describe('fields that cannot be changed', () => {
  test('a child whose fixed fields changed is replaced by uid, one that lost the annotation is only applied', () => {
    const context = contextOf();
    const changed = (immutableHash: string | undefined): Loose => {
      const { children, ...rest } = world(context);
      const bentChildren = children.map(({ immutableHash: was, ...child }) => ({
        ...child,
        ...(child.kind === 'Deployment'
          ? immutableHash !== undefined && { immutableHash }
          : was !== undefined && { immutableHash: was }),
      }));
      return stepOf(
        planAnchor(context, { ...rest, children: bentChildren }),
        'apps/v1/Deployment/harbor-server',
      );
    };
    expect(changed('other')).toMatchObject({ do: 'replace', uid: expect.stringMatching(/^uid-/) });
    expect(changed(undefined)).toMatchObject({ do: 'apply' });
  });
});

describe('replicas', () => {
  const scaled = contextOf(bent({ server: { autoscaling: { min: 3, max: 9 } } }));
  const server = (plan: Plan): Loose =>
    plan.steps.find((step) => step.id === 'apps/v1/Deployment/harbor-server' && step.do === 'apply');

  test("are the spec's without an autoscaler", () => {
    const context = contextOf(bent({ server: { replicas: 4 } }));
    expect(server(planAnchor(context, world(context))).object.spec.replicas).toBe(4);
  });

  test('of a new Deployment begin with the fewest', () => {
    const plan = planAnchor(scaled, { ...NOTHING, schema: LATEST_MIGRATION });
    expect(server(plan).object.spec.replicas).toBe(3);
  });

  test('are handed over before they are left out, as they are now', () => {
    const plan = planAnchor(scaled, world(scaled, { ownedReplicas: 4 }));
    const [first, ...rest] = plan.steps.filter(({ id }) => id === 'apps/v1/Deployment/harbor-server');
    expect(first).toMatchObject({ do: 'handOver', object: { spec: { replicas: 4 } } });
    expect(rest).toHaveLength(1);
    expect(server(plan).object.spec).not.toHaveProperty('replicas');
  });

  test('that an autoscaler has are left to it', () => {
    const plan = planAnchor(scaled, world(scaled));
    expect(plan.steps.filter((step) => step.do === 'handOver')).toEqual([]);
    expect(server(plan).object.spec).not.toHaveProperty('replicas');
  });
});

test('workers rest when they are told to, and nothing else changes', () => {
  const context = contextOf();
  const [awake, resting] = [false, true].map((suspendWorkers) =>
    planAnchor(context, world(context, { suspendWorkers })),
  );
  const changed = resting!.steps.filter(
    (step, index) => JSON.stringify(step) !== JSON.stringify(awake!.steps[index]),
  );
  expect(changed.map(({ id }) => id)).toEqual([
    'batch/v1/CronJob/harbor-poll-deposits',
    'batch/v1/CronJob/harbor-check-trustlines',
  ]);
});

test('of any Anchor, what was carried out leaves nothing to create, replace, hold or remove', () => {
  forManyAnchors((context) => {
    const plan = planAnchor(context, world(context));
    expect(plan.steps.filter((step) => step.do !== 'apply')).toEqual([]);
    expect([plan.held, plan.prune, plan.missing, plan.missingApis, plan.schema]).toEqual([
      [],
      [],
      [],
      [],
      'current',
    ]);
    expect(new Set(written(plan)).size).toBe(plan.steps.length);
  });
});
