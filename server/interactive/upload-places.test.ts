import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createUploadPlaces } from './upload-places.ts';

test('no customer has more than its places, nor all together more than there are, and each comes back once', () => {
  const step = fc.record({ id: fc.constantFrom('a', 'b', 'c'), isEnd: fc.boolean(), at: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const places = createUploadPlaces({ most: 5, mostEach: 2 });
      const held: { id: string; giveBack: () => void }[] = [];
      for (const { id, isEnd, at } of steps) {
        if (isEnd) {
          const [ended] = held.splice(held.length === 0 ? 0 : at % held.length, 1);
          ended?.giveBack();
          ended?.giveBack();
          continue;
        }
        const isFree = held.length < 5 && held.filter((one) => one.id === id).length < 2;
        const giveBack = places.take(id);
        expect(giveBack !== undefined).toBe(isFree);
        if (giveBack) held.push({ id, giveBack });
      }
    }),
  );
});
