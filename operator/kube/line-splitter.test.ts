import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LineSplitter } from './line-splitter.ts';

const lines = fc.array(
  fc.string({ unit: 'grapheme', minLength: 1 }).filter((line) => line.trim() !== '' && !line.includes('\n')),
);

describe('the splitter of a watch', () => {
  test('gives the same lines wherever the chunks are cut, also within a character', () => {
    fc.assert(
      fc.property(lines, fc.array(fc.nat(40)), (expected, cuts) => {
        const bytes = Buffer.from(expected.map((line) => `${line}\n`).join(''));
        const splitter = new LineSplitter();
        const got: string[] = [];
        let at = 0;
        for (const size of cuts) {
          got.push(...splitter.push(bytes.subarray(at, at + size)));
          at += size;
        }
        got.push(...splitter.push(bytes.subarray(at)));
        expect(got).toEqual(expected);
      }),
    );
  });

  test('never gives out what was cut off before its line feed', () => {
    const splitter = new LineSplitter();
    expect(splitter.push(Buffer.from('{"a":1}\n{"type":"ADDED","obj'))).toEqual(['{"a":1}']);
  });

  test('refuses a line without an end', () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const feed = (): void => {
      for (let n = 0; n < 20; n += 1) splitter.push(chunk);
    };
    expect(feed).toThrow('a line of a watch is over');
  });
});
