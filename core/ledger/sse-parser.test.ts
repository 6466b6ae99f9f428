import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SseTooLarge, createSseParser } from './sse-parser.ts';
import type { SseEvent } from './sse-parser.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): SseEvent[] => createSseParser(10_000).push(bytes(text));

const HORIZON =
  'retry: 1000\nevent: open\ndata: "hello"\n\nid: 42\ndata: {"a":"ü"}\n\nretry: 10\nevent: close\ndata: "byebye"\n\n';
const PARSED: SseEvent[] = [
  { event: 'open', data: '"hello"' },
  { event: 'message', data: '{"a":"ü"}', id: '42' },
  { event: 'close', data: '"byebye"' },
];

describe('the parser of event streams', () => {
  test("reads what Horizon's streams consist of", () => {
    expect(parse(HORIZON)).toEqual(PARSED);
  });

  test('gives the same events wherever the bytes are cut', () => {
    const text = fc.constantFrom(HORIZON, HORIZON.replaceAll('\n', '\r\n'), `\uFEFF${HORIZON}`);
    fc.assert(
      fc.property(text, fc.array(fc.nat({ max: 160 })), (stream, cuts) => {
        const all = bytes(stream);
        const edges = [0, ...cuts.filter((cut) => cut < all.length).toSorted((a, b) => a - b), all.length];
        const parser = createSseParser(10_000);
        const events = edges.slice(1).flatMap((end, index) => parser.push(all.subarray(edges[index], end)));
        expect(events).toEqual(PARSED);
      }),
    );
  });

  test('gives the same events whichever way lines end', () => {
    const written = fc.array(
      fc.record({
        id: fc.stringMatching(/^\d{1,5}$/),
        lines: fc.array(fc.stringMatching(/^[a-z é]{0,6}$/), { minLength: 1 }),
      }),
    );
    fc.assert(
      fc.property(written, fc.constantFrom('\n', '\r\n'), (events, ending) => {
        const stream = events
          .map(({ id, lines }) => [`id: ${id}`, ...lines.map((line) => `data: ${line}`), '', ''].join(ending))
          .join('');
        expect(parse(stream)).toEqual(
          events.map(({ id, lines }) => ({ event: 'message', data: lines.join('\n'), id })),
        );
      }),
    );
  });

  test('drops comments, unknown fields and events without data', () => {
    expect(parse(': heartbeat\n\nid: 1\n\nfoo: bar\ndata\n\n')).toEqual([{ event: 'message', data: '' }]);
  });

  test('holds an event back until its blank line has come', () => {
    const parser = createSseParser(1_000);
    expect(parser.push(bytes('data: 1\n'))).toEqual([]);
    expect(parser.push(bytes('\n'))).toEqual([{ event: 'message', data: '1' }]);
  });

  test.each([
    ['one endless line', ['data: ', 'x'.repeat(600), 'y'.repeat(600)]],
    ['endless lines', Array.from({ length: 30 }, () => `data: ${'x'.repeat(40)}\n`)],
  ])('refuses %s', (_, chunks) => {
    const parser = createSseParser(1_000);
    expect(() => chunks.forEach((chunk) => parser.push(bytes(chunk)))).toThrow(SseTooLarge);
  });
});
