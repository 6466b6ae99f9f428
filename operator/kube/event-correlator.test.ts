import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEventCorrelator } from './event-correlator.ts';
import type { Occurrence } from './event-correlator.ts';

const MINUTE = 60_000;
const about = (note: string, more: Partial<Occurrence> = {}): Occurrence => ({
  regarding: {
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'Anchor',
    namespace: 'ns',
    name: 'harbor',
    uid: 'u1',
  },
  type: 'Warning',
  reason: 'SecretMissing',
  action: 'Reconcile',
  note,
  ...more,
});

describe('the correlation of events', () => {
  test('makes one Event of the same thing again, and counts', () => {
    const correlator = createEventCorrelator();
    const first = correlator.correlate(about('no key'), 0);
    expect(first).toMatchObject({ do: 'create', note: 'no key' });
    expect(correlator.correlate(about('no key'), MINUTE)).toMatchObject({ do: 'count', count: 2 });
    expect(correlator.correlate(about('no key'), 2 * MINUTE)).toEqual({ ...first, do: 'count', count: 3 });
    expect(correlator.correlate(about('no key', { reason: 'Other' }), 2 * MINUTE)).toMatchObject({
      do: 'create',
    });
  });

  test('begins a new Event when the last was long ago, or is gone from the API', () => {
    const correlator = createEventCorrelator();
    correlator.correlate(about('x'), 0);
    expect(correlator.correlate(about('x'), 11 * MINUTE)).toMatchObject({ do: 'create' });
    const again = correlator.correlate(about('x'), 12 * MINUTE);
    expect(again).toMatchObject({ do: 'count', count: 2 });
    correlator.forget(again.do === 'count' ? again.id : '');
    expect(correlator.correlate(about('x'), 13 * MINUTE)).toMatchObject({ do: 'create' });
  });

  test('combines what differs only in its note after ten of them', () => {
    const correlator = createEventCorrelator();
    for (let n = 0; n < 10; n += 1) {
      expect(correlator.correlate(about(`pod ${n}`), n)).toMatchObject({ do: 'create', note: `pod ${n}` });
    }
    expect(correlator.correlate(about('pod 10'), 10)).toMatchObject({
      do: 'create',
      note: '(combined from similar events): pod 10',
    });
    expect(correlator.correlate(about('pod 11'), 11)).toMatchObject({ do: 'count', count: 2 });
    expect(correlator.correlate(about('pod 3'), 12)).toMatchObject({ do: 'count', note: 'pod 3' });
  });

  test('lets an object speak 25 times, then once in five minutes; other objects, and the other type, are not concerned', () => {
    const correlator = createEventCorrelator();
    const done = Array.from({ length: 30 }, (_, n) => correlator.correlate(about(`n${n}`), 0).do);
    expect(done.filter((one) => one === 'drop')).toHaveLength(5);
    expect(done.slice(25)).toEqual(Array(5).fill('drop'));
    const other = { ...about('x').regarding, name: 'other', uid: 'u2' };
    expect(correlator.correlate(about('x', { regarding: other }), 0).do).toBe('create');
    expect(correlator.correlate(about('all is well', { type: 'Normal' }), 0).do).toBe('create');
    expect(correlator.correlate(about('later'), 4 * MINUTE).do).toBe('drop');
    expect(correlator.correlate(about('later'), 5 * MINUTE).do).not.toBe('drop');
    expect(correlator.correlate(about('later'), 5 * MINUTE).do).toBe('drop');
  });

  test('never writes more than the burst and its refill, whatever is said when', () => {
    const said = fc.array(fc.record({ note: fc.nat(40), afterMs: fc.nat(30_000) }), { maxLength: 150 });
    fc.assert(
      fc.property(said, (all) => {
        const correlator = createEventCorrelator();
        let now = 0;
        let written = 0;
        for (const { note, afterMs } of all) {
          now += afterMs;
          if (correlator.correlate(about(`${note}`), now).do !== 'drop') written += 1;
        }
        expect(written).toBeLessThanOrEqual(25 + now / (5 * MINUTE));
      }),
    );
  });
});
