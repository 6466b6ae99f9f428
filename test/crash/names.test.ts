import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { nameOfCommit, nameOfRequest, writesOf } from './names.ts';
import { EFFECTS, missingPoints } from './points.ts';

describe('the name of an effect', () => {
  test.each([
    ['select * from "transfer" where id = $1 for update skip locked', []],
    ['insert into "event" ("id") values ($1)', ['event+']],
    ['insert into role (name) values ($1) on conflict (name) do update set holder = $2', ['role+']],
    ['update "task" set done_at = now()', ['task~']],
    ['update transfer as t set state = $1 from x where t.id = x.id', ['transfer~']],
    [
      'with gone as (delete from used_token returning id) insert into event select 1',
      ['event+', 'used_token-'],
    ],
    ['WITH due AS (SELECT id FROM task FOR UPDATE) UPDATE task SET lease_token = $1', ['task~']],
  ])('of "%.40s" lists what it writes', (sql, writes) => {
    expect(writesOf(sql)).toEqual(writes);
  });

  test('of a commit has each table once, in order', () => {
    expect(nameOfCommit(['transfer~', 'event+', 'transfer~'])).toBe('[event+ transfer~]');
  });

  test('of a request leaves ids and queries out', () => {
    const path = '/capstan/v1/deposits/0b6f3c1e-1d2c-4a51-9a76-3a4d1f6a2b11/x?token=1';
    expect(nameOfRequest({ method: 'POST', path })).toBe('POST /capstan/v1/deposits/…/x');
  });
});

describe('the list of points', () => {
  test('is in docs/crash-points.md, with what each effect is', () => {
    const document = readFileSync(new URL('../../docs/crash-points.md', import.meta.url), 'utf8');
    const lines = document.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim());
    for (const [effect, meaning] of Object.entries(EFFECTS)) {
      expect(lines).toContain(`| \`${effect}\` | ${meaning} |`);
    }
  });

  test('is missed by a run that crashed on one side only', () => {
    const all = Object.keys(EFFECTS).flatMap((effect) => {
      const [role, what] = effect.split(': ');
      return [`${role}: before ${what}`, `${role}: after ${what}`];
    });
    const reached = [...all, 'check-trustlines: before commit [transfer+]'];
    expect(missingPoints(reached)).toEqual([]);
    expect(missingPoints(reached.slice(1))).toEqual([all[0]]);
    expect(missingPoints(all)).toEqual(['commit [transfer+]']);
  });

  test('takes a commit that wrote more for one whose name leaves room for it, and no other', () => {
    const missing = (...points: readonly string[]): readonly string[] =>
      missingPoints(points).filter(
        (point) => point.startsWith('watch-transactions: before') && point.includes('frozen'),
      );
    const wanted = 'watch-transactions: before commit [… frozen_account+]';
    expect(missing()).toEqual([wanted]);
    expect(missing('watch-transactions: before commit [event+ frozen_account+]')).toEqual([]);
    expect(missing('watch-transactions: after commit [frozen_account+]')).toEqual([wanted]);
    expect(missing('watch-transactions: before commit [submission~]')).toEqual([wanted]);
  });
});
