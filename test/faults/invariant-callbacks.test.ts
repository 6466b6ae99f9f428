import { expect, test } from '@jest/globals';
import { isInOrder } from './invariant-callbacks.ts';

const PATH = ['pending_anchor', 'pending_stellar', 'pending_anchor', 'completed'];

test.each([
  ['the way itself', PATH, true, true],
  ['each step twice in a row', PATH.flatMap((one) => [one, one]), true, true],
  ['a step left out', ['pending_anchor', 'pending_anchor', 'completed'], false, false],
  ['steps out of order', ['pending_stellar', 'pending_anchor', 'pending_stellar', 'completed'], false, false],
  ['the end missing', PATH.slice(0, -1), false, false],
  ['the way and then its last steps again', [...PATH, ...PATH.slice(1)], false, true],
  ['the way and then only its beginning again', [...PATH, ...PATH.slice(0, 2)], false, false],
])('a wallet that was told %s', (_what, heard, plainly, afterRestore) => {
  expect(isInOrder(heard, PATH, false)).toBe(plainly);
  expect(isInOrder(heard, PATH, true)).toBe(afterRestore);
});
