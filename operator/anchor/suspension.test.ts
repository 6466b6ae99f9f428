import { expect, test } from '@jest/globals';
import type { AnchorStatus } from '../../core/status/document.ts';
import { isHeard, stoppedBySpec } from './suspension.ts';

type Money = Parameters<typeof stoppedBySpec>[0];

const money = (all: boolean, ...assets: readonly (readonly [id: string, suspended: boolean])[]): Money =>
  ({
    payments: { suspended: all },
    assets: assets.map(([id, suspended]) => ({ id, suspended })),
  }) as unknown as Money;
const said = (suspended: Readonly<Record<string, boolean>> | undefined, ageSeconds = 1) => ({
  atMs: 0,
  status: {
    watcher: { ageSeconds, holder: 'w', ledger: { error: '' }, accounts: {}, suspended },
  } as unknown as AnchorStatus,
});

test('what stops everything stops each asset', () => {
  expect(stoppedBySpec(money(true, ['native', false]))).toEqual({ native: true });
  expect(stoppedBySpec(money(false, ['native', false], ['A:G', true]))).toEqual({
    native: false,
    'A:G': true,
  });
});

test.each([
  ['it stops what the spec stops', said({ native: true }), money(true, ['native', false]), true],
  ['it pays what the spec stops', said({ native: false }), money(true, ['native', false]), false],
  ['it stops what the spec lets go', said({ native: true }), money(false, ['native', false]), false],
  ['it does not know the asset yet', said({}), money(true, ['native', false]), true],
  ['it is of a release that does not say', said(undefined), money(true, ['native', false]), undefined],
  ['it was not heard of for long', said({ native: false }, 61), money(true, ['native', false]), undefined],
  ['the server does not answer', { atMs: 0, error: 'x' }, money(true, ['native', false]), undefined],
])('the watcher, when %s: %#', (_, reading, spec, heard) => {
  expect(isHeard(reading, spec)).toBe(heard);
});
