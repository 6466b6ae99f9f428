import { expect, test } from '@jest/globals';
import { createSharing } from './sharing.ts';

test('values that are alike are one, others are not, and no more are remembered than allowed', () => {
  const share = createSharing(2);
  const first = share({ app: 'harbor' });
  expect(share({ app: 'harbor' })).toBe(first);
  expect(share({ app: 'quay' })).toEqual({ app: 'quay' });
  const third = share({ app: 'pier' });
  expect(share({ app: 'pier' })).toBe(third);
  expect(share({ app: 'harbor' })).not.toBe(first);
});
