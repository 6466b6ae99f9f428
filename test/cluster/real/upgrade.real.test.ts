import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LATEST_MIGRATION } from '../../../core/database/migrations/names.ts';
import { VERSION } from '../../../cli/version.ts';
import { schemaNumber } from '../../../operator/resources/names.ts';
import { theCluster } from './cluster.ts';
import { clusterOf } from './clusters.ts';
import { compareBooks } from './collect-books.ts';
import {
  applyAnchor,
  describeAnchor,
  kubectl,
  prepareAnchor,
  removeAnchor,
  waitForReady,
  type RealAnchor,
} from './fixtures.ts';
import { NEXT_COLUMN, NEXT_MIGRATION, NEXT_VERSION, writeNextRelease } from './next-release.ts';
import { keepPageOpen } from './open-page.ts';
import type { TrafficRecords } from './records.ts';
import { currentRevision, imageOf, rollBackTo, upgradeTo } from './release.ts';
import { conditionOf, jobOf, lastWordsOf, ofImage, PARTS, podsOf, waitForRelease } from './rollout.ts';
import { runSql } from './sql.ts';
import { describeReport, ROOM_FOR_TRAFFIC, startTraffic, type TrafficReport } from './traffic.ts';
import { watchConditions } from './watching.ts';

const WITHIN_MS = 300_000;
const [NOW, NEXT] = [VERSION, NEXT_VERSION].map(imageOf) as [string, string];
const JOB = `harbor-migrate-${schemaNumber(NEXT_MIGRATION)}`;
const COLUMN = `alter table "${NEXT_COLUMN.table}"`;
/** What a new release rolls out, and is there all the time. */
const OURS = ['server', 'watcher'] as const;
const CUSTOMERS = 5;

describe('a release of Capstan that is followed by the next one, under load', () => {
  const cluster = theCluster();
  let anchor: RealAnchor;
  let revision: number;
  /** Of all that went through the anchor. */
  const records: TrafficRecords[] = [];

  beforeAll(async () => {
    const kind = clusterOf(process.env['CLUSTER'] || undefined);
    const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
    await kind.bring([await kind.buildRelease(await writeNextRelease(), say)], say);
    revision = await currentRevision(cluster);
    anchor = await prepareAnchor(cluster, 'upgrading');
    await applyAnchor(anchor, ROOM_FOR_TRAFFIC);
  }, 2 * WITHIN_MS);
  afterAll(async () => {
    // Other tests use this cluster after us.
    await rollBackTo(cluster, revision);
    await removeAnchor(anchor);
  }, WITHIN_MS);

  /** Customers come and go while `work` is done, and for a deposit and a withdrawal more. */
  async function underLoad(work: () => Promise<void>): Promise<TrafficReport> {
    const traffic = await startTraffic(anchor, { customers: CUSTOMERS });
    const page = await keepPageOpen(anchor).catch(async (error: unknown) => {
      await traffic.stop();
      throw error;
    });
    records.push(traffic.records);
    const result = await traffic
      .goesOn(WITHIN_MS)
      .then(work)
      .then(() => traffic.goesOn(WITHIN_MS))
      .catch(async (error: unknown) => new Error(`${String(error)}\n${await describeAnchor(anchor)}`));
    const [report] = await Promise.all([traffic.stop(), page.stop()]);
    const { requests, failures } = page;
    process.stderr.write(`${describeReport(report)}\n`);
    process.stderr.write(
      `a page: ${requests} requests, ${failures.length} failed; ${page.streams} streams\n`,
    );
    if (result instanceof Error) throw result;
    expect(page.streams).toBeGreaterThan(0);
    return { ...report, failures: [...report.failures, ...failures] };
  }

  /** No request failed, and what everybody was told is what ledger and bank have. */
  async function expectWhole({ failures }: TrafficReport): Promise<void> {
    expect(failures).toEqual([]);
    expect(await compareBooks(anchor, ...records)).toEqual([]);
  }

  const tell = (what: string, ms: number): void =>
    void process.stderr.write(`${what} took ${(ms / 1000).toFixed(1)} s\n`);

  test(
    'a migration that fails leaves the old version serving, says so, and is over with helm rollback',
    async () => {
      const before = await podsOf(anchor, ...OURS);
      // Somebody's own column is in the way.
      await runSql(anchor, `${COLUMN} add column "${NEXT_COLUMN.name}" text`);
      const report = await underLoad(async () => {
        tell('helm upgrade', await upgradeTo(cluster, NEXT_VERSION));
        const { message } = await conditionOf(anchor, 'DatabaseReady', 'MigrationFailed');
        expect(message).toMatch(
          new RegExp(
            `^The schema could not be brought up; the version before goes on serving: .*${NEXT_MIGRATION} failed`,
          ),
        );
        expect(await lastWordsOf(anchor, JOB)).toMatch(
          new RegExp(`${NEXT_MIGRATION} failed .*: .*column "${NEXT_COLUMN.name}".* already exists`),
        );
        expect(await conditionOf(anchor, 'Ready', 'NotReady')).toMatchObject({ status: 'False' });
      });
      await expectWhole(report);
      expect(await podsOf(anchor, ...OURS)).toEqual(before);
      expect(before.map(({ image }) => image)).toEqual(before.map(() => NOW));
      tell('helm rollback', await rollBackTo(cluster, revision));
      await conditionOf(anchor, 'DatabaseReady', 'Migrated');
      await waitForReady(anchor);
      expect(await podsOf(anchor, ...OURS)).toEqual(before);
      expect(await kubectl(anchor, ['get', 'jobs', '--output', 'name'])).not.toContain(JOB);
    },
    2 * WITHIN_MS,
  );

  test(
    'helm upgrade rolls operator, migration, server, watcher and workers, in this order, and nobody notices',
    async () => {
      await runSql(anchor, `${COLUMN} drop column if exists "${NEXT_COLUMN.name}"`);
      const others = await podsOf(anchor, 'integration', 'database');
      const conditions = await watchConditions(anchor);
      const report = await underLoad(async () => {
        const started = performance.now();
        tell('helm upgrade', await upgradeTo(cluster, NEXT_VERSION));
        await waitForRelease(anchor, NEXT_VERSION);
        tell('helm upgrade, until the anchor is all of the next release,', performance.now() - started);
      }).finally(() => conditions.stop());
      await expectWhole(report);
      const { succeeded, failed } = await jobOf(anchor, JOB);
      expect([succeeded, failed]).toEqual([1, undefined]);
      const made = await ofImage(anchor, NEXT, ['ReplicaSet', 'Job']);
      const later = made.filter(({ name }) => name !== `Job/${JOB}`);
      expect(later.map(({ component }) => component)).toEqual(expect.arrayContaining([...PARTS]));
      const ran = await migrations(anchor);
      expect(ran.map(({ name }) => name)).toEqual([LATEST_MIGRATION, NEXT_MIGRATION]);
      // Not the Job's end: that the schema is there the server may tell before Kubernetes tells of the Job.
      const at = ran[1]?.at ?? '';
      expect(at).toMatch(/^\d{4}-.*Z$/);
      expect(later.filter(({ madeAt }) => madeAt < at)).toEqual([]);
      expect(conditions.lines.filter((line) => line.includes('=False'))).toEqual([]);
      expect(await podsOf(anchor, 'integration', 'database')).toEqual(others);
    },
    2 * WITHIN_MS,
  );

  test(
    'helm rollback runs the older code on the newer schema: money moves, nobody notices, and nothing is migrated back',
    async () => {
      const report = await underLoad(async () => {
        const started = performance.now();
        tell('helm rollback', await rollBackTo(cluster, revision));
        await waitForRelease(anchor, VERSION);
        tell('helm rollback, until the anchor is all of the release before,', performance.now() - started);
      });
      await expectWhole(report);
      const ran = await migrations(anchor);
      expect(ran.map(({ name }) => name)).toEqual([LATEST_MIGRATION, NEXT_MIGRATION]);
      expect(await kubectl(anchor, ['get', 'jobs', '--output', 'name'])).not.toContain('migrate');
    },
    2 * WITHIN_MS,
  );
});

interface Migration {
  readonly name: string;
  /** When it ran: ISO 8601, whole seconds. */
  readonly at: string;
}

/** The newest two, as often as they ran. */
async function migrations(anchor: RealAnchor): Promise<readonly Migration[]> {
  const at = `to_char(executed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
  const newest = `from schema_migration where name >= '${LATEST_MIGRATION}' order by id`;
  return (await runSql(anchor, `select name, ${at} as at ${newest}`)) as readonly Migration[];
}
