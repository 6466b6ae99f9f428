import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KubeError, KubeProtocolError, isGone } from './errors.ts';
import { parseEvent } from './watch.ts';

const caught = (line: string): unknown => {
  try {
    return parseEvent(line, 'WATCH pods');
  } catch (error) {
    return error;
  }
};

describe('an event of a watch', () => {
  test('is read with its type and object', () => {
    const line = '{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a","resourceVersion":"5"}}}';
    expect(caught(line)).toEqual({
      type: 'ADDED',
      object: { kind: 'Pod', metadata: { name: 'a', resourceVersion: '5' } },
    });
  });

  test('may be a bookmark, which has no name', () => {
    const line = '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}';
    expect(caught(line)).toMatchObject({ type: 'BOOKMARK' });
  });

  test("may be the server's ERROR, whose status says that our place is no longer kept", () => {
    const error = caught(
      '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}}',
    );
    expect(error).toBeInstanceOf(KubeError);
    expect(isGone(error)).toBe(true);
    expect(String(error)).toContain('too old resource version');
  });

  test.each([
    ['no JSON', '{"type":"ADDED","obj'],
    ['null', 'null'],
    [
      'of a type that there is not',
      '{"type":"RENAMED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}',
    ],
    ['without a name', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}}'],
    ['without a version', '{"type":"MODIFIED","object":{"metadata":{"name":"a"}}}'],
  ])('that is %s is refused', (_title, line) => {
    expect(caught(line)).toBeInstanceOf(KubeProtocolError);
  });

  test('that is any text or JSON is an event or one of two errors', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        const read = caught(line);
        const isKnown =
          read instanceof KubeProtocolError ||
          read instanceof KubeError ||
          (typeof read === 'object' && read !== null && 'object' in read);
        expect(isKnown).toBe(true);
      }),
    );
  });
});
