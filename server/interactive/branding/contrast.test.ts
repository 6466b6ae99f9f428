import { describe, expect, test } from '@jest/globals';
import { readBuiltIn } from '../built-in.ts';
import { composeBranding } from './branding.ts';
import { colorOf, contrastOf, lowContrasts, PAIRS, schemesOf } from './contrast.ts';
import { formatProblem } from './problem.ts';

const builtIn = readBuiltIn();

describe('the contrast of colours', () => {
  test('is right for every pair of ours, and no colour of ours is left out', () => {
    const schemes = schemesOf([builtIn.sheet]);
    expect(lowContrasts(schemes)).toEqual([]);
    const paired = new Set(PAIRS.flatMap(({ front, back }) => [front, back]));
    for (const scheme of schemes) {
      const colours = [...scheme.properties.keys()].filter((name) => colorOf(scheme, name) !== undefined);
      expect(colours.filter((name) => !paired.has(name) && !DECORATION.has(name))).toEqual([]);
      for (const pair of PAIRS) {
        expect([pair, contrastOf(scheme, pair)]).toEqual([pair, expect.any(Number)]);
      }
    }
  });

  test('of a theme is looked at in both schemes, with ours below it', () => {
    const theme = `:root { --accent: var(--sun, #fff); --sun: #ffd54f }
@media (prefers-color-scheme: dark) { :root { --accent: light-dark(#000, rgb(10 11 12)) } }
@media (min-width: 40em) { :root { --paper: black } }`;
    const { problems } = composeBranding(
      { files: [{ name: 'theme.css', path: 'theme.css', content: Buffer.from(theme) }], problems: [] },
      builtIn,
    );
    const said = problems.map(formatProblem);
    expect(said).toContain(
      'theme.css: --accent on --paper has a contrast of 1.41 in the light scheme: WCAG AA asks for 4.5.',
    );
    expect(said.filter((text) => text.includes('--accent on --paper'))).toHaveLength(2);
    expect(problems.every(({ severity }) => severity === 'warning')).toBe(true);
  });

  test('is that of WCAG: 21 for black on white, seen through what is transparent', () => {
    const [light] = schemesOf([
      ':root { --a: #000; --b: white; --c: rgb(0 0 0 / 50%); --d: color-mix(in srgb, red, blue) }',
    ]);
    expect(contrastOf(light, { front: '--a', back: '--b' })).toBeCloseTo(21, 5);
    expect(contrastOf(light, { front: '--c', back: '--b' })).toBeCloseTo(3.95, 1);
    expect(contrastOf(light, { front: '--d', back: '--b' })).toBeUndefined();
  });
});

/** Lines that nothing is told by. */
const DECORATION: ReadonlySet<string> = new Set(['--hair']);
