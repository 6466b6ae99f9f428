import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { printHistogram } from './report.ts';
import { runFuzz, type FuzzResult } from './run.ts';
import { nameOf, parametersOf, ROUTES, servedRoutes } from './table.ts';

const requests = Number(process.env['CAPSTAN_FUZZ_REQUESTS'] ?? 20_000);
/** The same seed asks the same; what it asks about (ids, keys, tokens) is made anew in each run. */
const seed = Number(process.env['CAPSTAN_FUZZ_SEED'] ?? Math.floor(Math.random() * 1_000_000_000));

/** Quotes are not offered, and nobody here serves a client domain's stellar.toml. */
const NEVER_TAKEN: ReadonlySet<string> = new Set(['body.quote_id', 'query.client_domain']);

describe(`every route under ${requests} hostile and honest requests (CAPSTAN_FUZZ_SEED=${seed})`, () => {
  let db: TestDatabase;
  let result: FuzzResult;

  beforeAll(async () => {
    db = await createTestDatabase();
    result = await runFuzz({ database: db.database, requests, seed });
    process.stdout.write(printHistogram(result, seed));
  }, 600_000);
  afterAll(() => db.drop());

  test('each answer is a success, a redirect, a 4xx that says why, or 503 while something is down', () => {
    expect(result.judge.summary()).toEqual([]);
  });

  test('enough requests were sent, got past the gates, succeeded, and met an outage', () => {
    const { requests: sent, pastGate, succeeded, whileDown, cut } = result.judge.counts;
    expect(sent).toBeGreaterThanOrEqual(requests);
    expect(pastGate / sent).toBeGreaterThanOrEqual(0.25);
    expect(succeeded / sent).toBeGreaterThanOrEqual(0.1);
    expect(whileDown / sent).toBeGreaterThanOrEqual(0.01);
    expect(cut / sent).toBeLessThan(0.02);
    expect(result.transactions).toBeGreaterThan(sent / 100);
  });

  test('every route that the server has was asked, with every parameter, and has succeeded', () => {
    const served = servedRoutes(result.anchor.routers);
    expect(ROUTES.map(nameOf).toSorted()).toEqual([...served].toSorted());
    const { histogram, parametersSent, parametersTaken } = result.judge;
    for (const row of ROUTES) {
      const statuses = [...(histogram.get(nameOf(row))?.keys() ?? [])];
      expect([nameOf(row), statuses.some((status) => status >= 200 && status < 400)]).toEqual([
        nameOf(row),
        true,
      ]);
      const unsent = parametersOf(row).filter((name) => !parametersSent.has(`${nameOf(row)} ${name}`));
      expect([nameOf(row), unsent]).toEqual([nameOf(row), []]);
      const untaken = parametersOf(row).filter((name) => !parametersTaken.has(`${nameOf(row)} ${name}`));
      expect([nameOf(row), untaken.filter((name) => !NEVER_TAKEN.has(name))]).toEqual([nameOf(row), []]);
    }
  });

  test('the log tells of no defect, and holds no seed, token or personal value', () => {
    expect(result.log.lines()).toBeGreaterThan(requests / 2);
    expect(result.log.defects).toEqual([]);
    expect(result.log.leaks).toEqual([]);
  });

  test('the integration was called by its contract', () => {
    expect(result.integrationProblems.slice(0, 5)).toEqual([]);
  });
});
