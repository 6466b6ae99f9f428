import { describe, expect, test } from '@jest/globals';
import { declaredHooks } from './hooks.ts';
import { composeStatus, readAnchorStatus } from './document.ts';
import { ownStatus } from './testing/status.ts';
import { anchorOf, assetOf, direction } from '../../test/support/anchor.ts';
import { newAccount } from '../../test/support/transaction.ts';

const own = ownStatus();
const watcher = {
  name: 'watcher',
  ageSeconds: 3.5,
  body: {
    holder: 'pod:1',
    ledger: { sequence: 7, closedAtMs: 1 },
    accounts: { GA: { state: 'stopped', lastError: 'history is gone' } },
    horizon: [],
  },
};

describe('the status document', () => {
  test('is read as it was written, over JSON', () => {
    const written = composeStatus(own, [watcher]);
    expect(readAnchorStatus(JSON.parse(JSON.stringify(written)))).toEqual(written);
    expect(written.watcher).toMatchObject({ ageSeconds: 3.5, accounts: { GA: { state: 'stopped' } } });
  });

  test('of a new database has no reports yet', () => {
    expect(composeStatus(own, [])).toEqual(own);
  });

  test('leaves a report out that another release wrote otherwise, and keeps the rest', () => {
    const strange = { name: 'preflight', ageSeconds: 1, body: { assets: 'many' } };
    const { preflight, watcher: kept } = composeStatus(own, [strange, watcher]);
    expect([preflight, kept?.holder]).toEqual([undefined, 'pod:1']);
  });

  test('of a later server is read without what is not known here', () => {
    expect(readAnchorStatus({ ...own, later: { thing: 1 } })).toEqual(own);
  });

  test('that is none is told with the first field that does not fit', () => {
    expect(() => readAnchorStatus({ ...own, schema: {} })).toThrow('schema.needed');
    expect(() => readAnchorStatus('<html>')).toThrow('no status that this release can read');
  });
});

test('hooks are missing only for directions in which an asset moves', () => {
  const keys = { issuer: newAccount(), distribution: newAccount() };
  const off = direction({ enabled: false });
  const declaration = { name: 'bank', version: '1', hooks: ['fee' as const], unknownHooks: ['feee'] };
  const missing = (...changes: Parameters<typeof assetOf>[1][]): readonly string[] =>
    declaredHooks(anchorOf(changes.map((change) => assetOf(keys, change))), declaration).missing;
  expect(missing({ withdrawal: off })).toEqual(['deposits/poll']);
  expect(missing({ deposit: off })).toEqual(['withdrawals/process']);
  expect(missing({ deposit: off }, { withdrawal: off })).toEqual(['deposits/poll', 'withdrawals/process']);
  expect(missing({ deposit: off, withdrawal: off })).toEqual([]);
});
