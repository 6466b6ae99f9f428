import { describe, expect, test } from '@jest/globals';
import { startLedger } from '../../ledger/local-ledger.ts';
import { checkAnchor, InvalidAnchorUrl, rules, type CheckResult } from './check.ts';
import { at, idsOf, status, toml, TOML, useTls } from './testing/plant.ts';
import { startTinyAnchor } from './testing/tiny-anchor.ts';

const tls = useTls();

describe('an anchor that keeps the rules', () => {
  test('is found to keep every one of them', async () => {
    const anchor = await startTinyAnchor(tls);
    const { results, counts, isKept } = await checkAnchor(anchor.homeDomain, { ca: tls.ca });
    await anchor.close();
    expect(idsOf(results, 'fail')).toEqual([]);
    expect(idsOf(results, 'skip')).toEqual([]);
    expect(counts.ok).toBe(rules.length);
    expect(isKept).toBe(true);
  });
});

describe('the rules', () => {
  test('have an id of their own, a sentence and a source', () => {
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    for (const { id, title, source } of rules) {
      expect(id).toMatch(/^(sep1|sep10|sep24|cors|json)(\.[a-z0-9-]+)+$/);
      expect(title).toMatch(/^\S.{10,}[^.]$/);
      expect(source).toMatch(/SEP-\d+|Fetch/);
    }
  });
});

describe('a run', () => {
  test('says of every failure what was expected, what came and what to do', async () => {
    const told: CheckResult[] = [];
    const anchor = await startTinyAnchor(tls, at(TOML, status(500)));
    await checkAnchor(`https://${anchor.homeDomain}/any/path`, {
      ca: tls.ca,
      onResult: (result) => told.push(result),
    });
    await anchor.close();
    expect(told).toHaveLength(rules.length);
    expect(told[0]).toEqual({
      id: 'sep1.toml.served',
      title: 'stellar.toml is served at /.well-known/stellar.toml',
      source: 'SEP-1, "Specification"',
      status: 'fail',
      detail: expect.stringMatching(/^Expected 200 from https.* Came: 500\. Serve the file/),
    });
    expect(told.filter((result) => result.status === 'skip').every(({ detail }) => detail !== '')).toBe(true);
  });

  test('against nothing fails with the reason and skips the rest', async () => {
    const anchor = await startTinyAnchor(tls);
    await anchor.close();
    const { results } = await checkAnchor(anchor.homeDomain, { ca: tls.ca });
    expect(results[0]).toMatchObject({ status: 'fail', detail: expect.stringContaining('ECONNREFUSED') });
    expect(idsOf(results, 'fail')).toEqual(['sep1.toml.served']);
    expect(idsOf(results, 'ok')).toEqual([]);
  });

  test('trusts no certificate that nobody vouches for', async () => {
    const anchor = await startTinyAnchor(tls);
    const { results } = await checkAnchor(anchor.homeDomain);
    await anchor.close();
    expect(results[0]).toMatchObject({ status: 'fail', detail: expect.stringMatching(/certificate/) });
  });

  test('funds its account where a test network has a friendbot, unless told not to', async () => {
    const ledger = await startLedger({ closeIntervalMs: 50 });
    const fault = toml('SIGNING_KEY', `HORIZON_URL = "${ledger.url}"\nSIGNING_KEY`);
    const accounts = async (): Promise<number> => {
      const answer = await fetch(`${ledger.url}/operations?limit=200`);
      const { _embedded: page } = (await answer.json()) as { _embedded: { records: unknown[] } };
      return page.records.length;
    };
    const before = await accounts();
    const anchor = await startTinyAnchor(tls, fault);
    await checkAnchor(anchor.homeDomain, { ca: tls.ca, fund: false });
    expect(await accounts()).toBe(before);
    const { isKept } = await checkAnchor(anchor.homeDomain, { ca: tls.ca });
    expect(isKept).toBe(true);
    expect(await accounts()).toBe(before + 1);
    await anchor.close();
    await ledger.close();
  });

  test('refuses what is no home domain of an anchor', async () => {
    await expect(checkAnchor('http://anchor.example')).rejects.toThrow(InvalidAnchorUrl);
    await expect(checkAnchor('https://')).rejects.toThrow(InvalidAnchorUrl);
  });
});
