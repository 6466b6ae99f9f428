import { describe, expect, test } from '@jest/globals';
import type { MoneyInFlight } from '../../core/status/document.ts';
import { ABANDON, type AnchorObject } from './anchor-object.ts';
import type { ChildObject } from './child-object.ts';
import { farewell } from './finalize.ts';
import { testStatus } from '../../core/status/testing/status.ts';

const server = (metadata: Partial<ChildObject['metadata']> = {}): ChildObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  version: '1',
  metadata: { name: 'harbor-server', ...metadata },
});
const anchor = (change: Partial<AnchorObject> = {}): AnchorObject => ({
  apiVersion: 'capstan.dev/v1alpha1',
  kind: 'Anchor',
  metadata: { name: 'harbor' },
  status: { versions: { schema: 'Migration0001Core' } },
  ...change,
});
const reading = (money: Partial<MoneyInFlight> = {}, atMs = 100) => {
  const status = testStatus();
  return { atMs, status: { ...status, money: { ...status.money, ...money } } };
};
/** Deleted at 50; asked at 100. */
const known = { server: server(), reading: reading(), sinceMs: 50 };

describe('an Anchor that is deleted', () => {
  test('goes when its server says that nothing is in flight', () => {
    expect(farewell(anchor(), known)).toEqual({ mayGo: true });
  });

  test.each([
    [{ transactionsFunded: 2 }, '2 transactions whose money is here'],
    [{ transfersOpen: 1 }, '1 payment to be made'],
    [{ submissionsPending: 3 }, '3 submissions on the way'],
    [{ tasksOpen: 1 }, '1 message to the integration'],
  ])('waits for %j and says so', (money, said) => {
    expect(farewell(anchor(), { ...known, reading: reading(money) })).toEqual({
      mayGo: false,
      isSure: true,
      why: said,
    });
  });

  test('does not wait for what only a person can settle', () => {
    const money = { tasksGivenUp: 2, receiptsAlarming: 4, attention: 1 };
    expect(farewell(anchor(), { ...known, reading: reading(money) })).toEqual({ mayGo: true });
  });

  test('believes no answer from before it was deleted, and waits for one', () => {
    const old = { ...known, reading: reading({}, 49) };
    expect(farewell(anchor(), old)).toEqual({
      mayGo: false,
      isSure: false,
      why: 'the server is being asked how much',
    });
    expect(farewell(anchor(), { server: known.server, reading: undefined, sinceMs: 50 })).toMatchObject({
      mayGo: false,
    });
  });

  test('waits for a server that does not answer, and says what it said', () => {
    const silent = { ...known, reading: { atMs: 100, error: 'ECONNREFUSED' } };
    expect(farewell(anchor(), silent)).toEqual({
      mayGo: false,
      isSure: true,
      why: expect.stringContaining('does not answer (ECONNREFUSED)'),
    });
  });

  test.each([
    ['it never served', anchor({ status: {} }), known],
    ['its server is gone', anchor(), { ...known, server: undefined }],
    [
      'its server is going with its namespace',
      anchor(),
      { ...known, server: server({ deletionTimestamp: '2026-11-22T10:00:00Z' }) },
    ],
    [
      'somebody gave its money up',
      anchor({ metadata: { name: 'harbor', annotations: { [ABANDON]: 'true' } } }),
      known,
    ],
  ])('goes at once when %s, whatever is in flight', (_, one, facts) => {
    const busy = { ...facts, reading: reading({ transfersOpen: 5 }) };
    expect(farewell(one, busy)).toEqual({ mayGo: true });
  });

  test('is not given up by an annotation that says anything else than "true"', () => {
    const half = anchor({ metadata: { name: 'harbor', annotations: { [ABANDON]: 'yes' } } });
    expect(farewell(half, { ...known, reading: reading({ transfersOpen: 5 }) })).toMatchObject({
      mayGo: false,
    });
  });
});
