import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { holdRole, releaseRole, roleFreeIn } from './control.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());
beforeEach(() => sql`truncate role`.execute(db.database));

const NAME = 'watch-transactions';
const hold = (holder: string, leaseMs = 60_000): Promise<boolean> =>
  holdRole(db.database, { name: NAME, holder, leaseMs });
const freeIn = (holder: string): Promise<number> => roleFreeIn(db.database, { name: NAME, holder });

describe('a role', () => {
  test('is free at once for anybody while nobody has it, and for its holder always', async () => {
    expect(await freeIn('one')).toBe(0);
    expect(await hold('one')).toBe(true);
    expect(await freeIn('one')).toBe(0);
    expect(await hold('one')).toBe(true);
  });

  test('is another’s until its lease ends, or is given back', async () => {
    await hold('one');
    expect(await hold('two')).toBe(false);
    const leftMs = await freeIn('two');
    expect(leftMs).toBeGreaterThan(50_000);
    expect(leftMs).toBeLessThanOrEqual(60_000);
    await releaseRole(db.database, NAME, 'two');
    expect(await freeIn('two')).toBeGreaterThan(0);
    await releaseRole(db.database, NAME, 'one');
    expect(await freeIn('two')).toBe(0);
    await hold('one', -1);
    expect(await freeIn('two')).toBe(0);
    expect(await hold('two')).toBe(true);
    expect(await freeIn('one')).toBeGreaterThan(0);
  });

  test('is looked at without a trace: the row of its holder is as it was', async () => {
    await hold('one');
    const row = () => sql`select xmax::text, ctid::text from role`.execute(db.database);
    const before = (await row()).rows;
    await freeIn('two');
    expect((await row()).rows).toEqual(before);
  });
});
