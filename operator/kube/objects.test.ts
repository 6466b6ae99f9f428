import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { kindFinder, pathOf } from './kinds.ts';
import { compareVersions, keyOf, microTime, refOf } from './objects.ts';

test('resource versions are compared as numbers of any length', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n }), fc.bigInt({ min: 0n }), (one, other) => {
      expect(Math.sign(compareVersions(String(one), String(other)))).toBe(
        one < other ? -1 : one > other ? 1 : 0,
      );
    }),
  );
});

test('a key can be turned back into what it names', () => {
  for (const ref of [{ namespace: 'ns', name: 'a' }, { name: 'a.b' }]) expect(refOf(keyOf(ref))).toEqual(ref);
});

test('a MicroTime has six digits of a second', () => {
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2200-01-01') }), (date) => {
      expect(microTime(date.getTime())).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      expect(Date.parse(microTime(date.getTime()))).toBe(date.getTime());
    }),
  );
});

test('paths are those of the API', () => {
  const kindOf = kindFinder([
    { apiVersion: 'capstan.dev/v1alpha1', kind: 'Anchor', plural: 'anchors', namespaced: true },
  ]);
  const anchor = kindOf({ apiVersion: 'capstan.dev/v1alpha1', kind: 'Anchor' });
  expect(pathOf(anchor, {})).toBe('/apis/capstan.dev/v1alpha1/anchors');
  expect(pathOf(anchor, { namespace: 'ns', name: 'a', subresource: 'status' })).toBe(
    '/apis/capstan.dev/v1alpha1/namespaces/ns/anchors/a/status',
  );
  expect(pathOf(kindOf({ apiVersion: 'v1', kind: 'Namespace' }), { namespace: 'x', name: 'ns' })).toBe(
    '/api/v1/namespaces/ns',
  );
  expect(pathOf(kindOf({ apiVersion: 'v1', kind: 'Secret' }), { namespace: '../x', name: 'a?b' })).toBe(
    '/api/v1/namespaces/..%2Fx/secrets/a%3Fb',
  );
  expect(() => kindOf({ apiVersion: 'v1', kind: 'Whale' })).toThrow('v1 Whale is not in the table');
});
