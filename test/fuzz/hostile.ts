import fc from 'fast-check';

/** What a page must never hold as it is. */
export const SCRIPT = '<script>fuzz(1)</script>';
/** More than a body may have, and than a field. */
const HUGE = 300_000;

/** Text that was trouble somewhere. None of it looks like a stack of ours, which answers are searched for. */
const TEXTS = [
  SCRIPT,
  `"'><img src=x onerror=fuzz(1)>${SCRIPT}`,
  '{{ 7 | times: 7 }}{% raw %}',
  'javascript:fuzz(1)',
  '\0',
  'a\0b',
  '\ud800',
  'a\udfffb',
  '\u202Egnp.exe\u2066',
  '\u0627\u0644\u0639\u0631\u0628\u064A\u0629',
  '\u{1F469}\u200D\u{1F469}\u200D\u{1F467}',
  'Z\u0351\u036B\u0343a\u0300\u0301\u0302l\u0315\u035D',
  'line\r\nX-Injected: yes\r\n\r\nbody',
  "'; drop table transaction; --",
  "1' or '1'='1",
  '$1; select pg_sleep(20)',
  '\\',
  '%00%ff%zz%',
  '../../../../etc/passwd',
  '..\\..\\windows',
  '//evil.example/x',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'null',
  'undefined',
  'NaN',
  'Infinity',
  'true',
  '-0',
  '0x10',
  '1e999',
  '1e-999999',
  '99999999999999999999999999999999999999',
  '922337203685.4775807',
  '922337203685.4775808',
  '0.00000001',
  '-1',
  '1,5',
  '٣٫٥',
  '0000-01-01',
  '+275760-09-13T00:00:00Z',
  '9999-12-31T23:59:59.999999999+23:59',
  '2026-02-30T25:61:61Z',
  '18446744073709551616',
  '00000000-0000-0000-0000-000000000000',
  'G'.repeat(56),
  'M'.repeat(69),
  `C${'A'.repeat(55)}`,
  'stellar:native',
  'iso4217:USD',
  ' ',
  '\t\n',
  '\uFEFF',
  'http://169.254.169.254/latest',
  'file:///etc/passwd',
] as const;

const long = fc
  .tuple(fc.constantFrom('x', '9', '\u{1F4A3}', '<', '[', '%00'), fc.constantFrom(101, 2_001, 9_000, HUGE))
  .map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length)));

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom(...TEXTS), weight: 10 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 2 },
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }), weight: 2 },
  { arbitrary: long, weight: 1 },
);

/** JSON of any shape where one text is meant. */
const structure: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    [],
    {},
    [[]],
    [null],
    { toString: 1 },
    { $ne: null },
    1e308,
    -0,
    5e-324,
    12.3456789,
    2 ** 53,
    true,
    null,
  ),
  hostileText.map((text) => [text, text]),
  fc.integer({ min: 10, max: 200 }).map((depth) => nested(depth)),
);

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: hostileText, weight: 3 },
  { arbitrary: structure, weight: 1 },
);

/** Names of parameters and properties that nobody asked for. */
export const hostileName: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'a[b]',
    'a[]',
    'a.b',
    'f.',
    'f.__proto__',
    '',
    ' ',
    '\0',
    '$where',
  ),
  fc.string({ maxLength: 20 }),
);
