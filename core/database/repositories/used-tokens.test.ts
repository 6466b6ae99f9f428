import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { forgetExpired, isRemembered, rememberOnce } from './used-tokens.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

const inAMinute = (): number => Date.now() + 60_000;

describe('used tokens', () => {
  test('the first use is told from every later one', async () => {
    expect(await isRemembered(db.database, 'a')).toBe(false);
    expect(await rememberOnce(db.database, 'a', inAMinute())).toBe(true);
    expect(await rememberOnce(db.database, 'a', inAMinute())).toBe(false);
    expect(await isRemembered(db.database, 'a')).toBe(true);
  });

  test('of twenty uses at the same moment exactly one is the first', async () => {
    const uses = await Promise.all(
      Array.from({ length: 20 }, () => rememberOnce(db.database, 'race', inAMinute())),
    );
    expect(uses.filter(Boolean)).toHaveLength(1);
  });

  test('what has been dead for a minute is forgotten, in bites, and nothing else', async () => {
    const dead = Date.now() - 120_000;
    await rememberOnce(db.database, 'dead-1', dead);
    await rememberOnce(db.database, 'dead-2', dead);
    await rememberOnce(db.database, 'just-dead', Date.now() - 1_000);
    expect(await forgetExpired(db.database, 1)).toBe(1);
    expect(await forgetExpired(db.database)).toBe(1);
    expect(await forgetExpired(db.database)).toBe(0);
    expect(await isRemembered(db.database, 'just-dead')).toBe(true);
  });
});
