import { generate, parse, type CssNode, type Rule } from 'css-tree';
import { blend, parse as parseColor, wcagContrast, type Color } from 'culori';

/** Values of custom properties, as they stand in a sheet. */
type Properties = ReadonlyMap<string, string>;

export interface Scheme {
  readonly name: 'light' | 'dark';
  readonly properties: Properties;
}

/** Two colours that pages put on each other, and the least contrast that WCAG 2.2 AA asks of them (1.4.3, 1.4.11). */
export interface Pair {
  readonly front: string;
  readonly back: string;
  readonly least: 4.5 | 3;
}

const text = (front: string, ...backs: readonly string[]): readonly Pair[] =>
  backs.map((back) => ({ front, back, least: 4.5 }));
const outline = (front: string, ...backs: readonly string[]): readonly Pair[] =>
  backs.map((back) => ({ front, back, least: 3 }));

/** Every pair of the built-in sheet and templates; a test holds that each of our colours is in one, and that ours pass. */
export const PAIRS: readonly Pair[] = [
  ...text('--ink', '--paper', '--card', '--canvas'),
  ...text('--quiet', '--paper', '--card', '--canvas'),
  ...text('--accent', '--paper', '--card', '--canvas'),
  ...text('--on-accent', '--accent'),
  ...text('--good', '--paper'),
  ...text('--bad', '--paper', '--card'),
  ...text('--action', '--paper'),
  ...outline('--line', '--paper', '--card'),
];

/** The custom properties of `:root` under both colour schemes, after these sheets in their order. */
export function schemesOf(sheets: readonly string[]): readonly [Scheme, Scheme] {
  const found = sheets.flatMap(rootDeclarations);
  const of = (name: Scheme['name']): Scheme => ({
    name,
    properties: new Map(
      found.flatMap(({ only, property, value }) =>
        only === undefined || only === name ? [[property, value]] : [],
      ),
    ),
  });
  return [of('light'), of('dark')];
}

export interface LowContrast extends Pair {
  readonly scheme: Scheme['name'];
  readonly ratio: number;
}

/** The pairs that are hard to read. What is no colour that can be computed here (color-mix, an image) is passed over. */
export function lowContrasts(
  schemes: readonly Scheme[],
  pairs: readonly Pair[] = PAIRS,
): readonly LowContrast[] {
  return schemes.flatMap((scheme) =>
    pairs.flatMap((pair) => {
      const ratio = contrastOf(scheme, pair);
      return ratio === undefined || ratio >= pair.least ? [] : [{ ...pair, scheme: scheme.name, ratio }];
    }),
  );
}

/** From 1 to 21; undefined where one of the two is no colour. */
export function contrastOf(
  scheme: Scheme,
  { front, back }: Pick<Pair, 'front' | 'back'>,
): number | undefined {
  const [over, under] = [colorOf(scheme, front), colorOf(scheme, back)];
  if (!over || !under) return undefined;
  return wcagContrast(blend([under, over]), under);
}

/** A property's colour: `var()` and `light-dark()` are followed, up to eight deep. */
export function colorOf(scheme: Scheme, property: string): Color | undefined {
  let value = scheme.properties.get(property);
  for (let depth = 0; value !== undefined && depth < 8; depth++) {
    const reference = /^var\(\s*(--[\w-]+)\s*(?:,(.*))?\)$/s.exec(value);
    const pair = /^light-dark\((.*)\)$/s.exec(value);
    if (reference) value = scheme.properties.get(reference[1] ?? '') ?? reference[2]?.trim();
    else if (pair) value = topLevelParts(pair[1] ?? '')[scheme.name === 'light' ? 0 : 1];
    else return parseColor(value);
  }
  return undefined;
}

/** Splits at commas that no bracket holds. */
function topLevelParts(list: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const character of list) {
    if (character === '(') depth++;
    if (character === ')') depth--;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim());
}

interface RootDeclaration {
  /** The only scheme in which it counts. */
  readonly only: Scheme['name'] | undefined;
  readonly property: string;
  readonly value: string;
}

function rootDeclarations(sheet: string): readonly RootDeclaration[] {
  const tree = parse(sheet, { onParseError: () => {} });
  return childrenOf(tree).flatMap((node): readonly RootDeclaration[] => {
    if (node.type === 'Rule') return declarationsOf(node, undefined);
    const only = node.type === 'Atrule' && node.name === 'media' ? schemeIn(node.prelude) : undefined;
    if (node.type !== 'Atrule' || only === undefined || !node.block) return [];
    return childrenOf(node.block).flatMap((rule) => (rule.type === 'Rule' ? declarationsOf(rule, only) : []));
  });
}

/** Of `(prefers-color-scheme: dark)` alone; a query that says more is about something else. */
function schemeIn(prelude: CssNode | null): Scheme['name'] | undefined {
  const [, name] = /^\(prefers-color-scheme:(light|dark)\)$/.exec(prelude ? generate(prelude) : '') ?? [];
  return name === 'light' || name === 'dark' ? name : undefined;
}

function declarationsOf(rule: Rule, only: RootDeclaration['only']): readonly RootDeclaration[] {
  const selectors = generate(rule.prelude).split(',');
  if (!selectors.some((selector) => selector === ':root' || selector === 'html')) return [];
  return childrenOf(rule.block).flatMap((node) =>
    node.type === 'Declaration' && node.property.startsWith('--')
      ? [{ only, property: node.property, value: generate(node.value).trim() }]
      : [],
  );
}

function childrenOf(node: CssNode): readonly CssNode[] {
  return 'children' in node && node.children ? node.children.toArray() : [];
}
