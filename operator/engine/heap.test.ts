import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Heap } from './heap.ts';

test('a heap gives back any numbers in their order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new Heap<number>((one, other) => one < other);
      for (const number of numbers) heap.push(number);
      expect(heap.size).toBe(numbers.length);
      const popped = numbers.map(() => heap.pop());
      expect(popped).toEqual(numbers.toSorted((one, other) => one - other));
      expect(heap.pop()).toBeUndefined();
      expect(heap.peek()).toBeUndefined();
    }),
  );
});
