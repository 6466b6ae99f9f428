import { parse, walk, type CssNode } from 'css-tree';
import { nearest } from '../../../core/spec/validate.ts';
import type { BrandingProblem } from './problem.ts';

export interface StyleCheck {
  readonly file: string;
  readonly text: string;
  /** The URL of a file of the branding, or of ours, by its name. */
  readonly urlOf: (name: string) => string | undefined;
  /** Custom properties of our own sheet. */
  readonly properties: ReadonlySet<string>;
}

export interface CheckedStyle {
  /** With the URLs under which its files are served. */
  readonly text: string;
  readonly problems: readonly BrandingProblem[];
}

interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Checks a style sheet of a branding. Files that it names (`url(brand.woff2)`) are those of the branding; what lies
 * elsewhere would be refused by the pages' Content-Security-Policy.
 */
export function checkStyle({ file, text, urlOf, properties }: StyleCheck): CheckedStyle {
  const problems: BrandingProblem[] = [];
  const report = (severity: BrandingProblem['severity'], message: string, line?: number): void =>
    void problems.push({ severity, file, message, ...(line !== undefined && { line }) });
  const tree = parse(text, {
    positions: true,
    parseCustomProperty: true,
    onParseError: ({ message, line }) =>
      report('error', `is no style sheet here: ${message.charAt(0).toLowerCase()}${message.slice(1)}.`, line),
  });
  const replacements: Replacement[] = [];
  walk(tree, (node) => {
    if (node.type === 'Atrule' && node.name === 'import') {
      report(
        'error',
        'imports another sheet, which costs customers a round trip: put its rules here.',
        node.loc?.start.line,
      );
    }
    if (node.type !== 'Url' || !node.loc) return;
    const target = resolveUrl(node.value, urlOf);
    const { start, end } = node.loc;
    if ('url' in target) {
      replacements.push({ start: start.offset, end: end.offset, text: `url("${target.url}")` });
    } else if ('problem' in target) report(target.severity, target.problem, start.line);
  });
  for (const { name, line } of unusedProperties(tree)) {
    const near = properties.has(name) ? undefined : nearest(name, [...properties]);
    if (near !== undefined)
      report('warning', `sets ${name}, which no page uses: did you mean ${near}?`, line);
  }
  return { text: replaced(text, replacements), problems };
}

/** Custom properties that a sheet sets and does not read itself. */
function unusedProperties(
  tree: CssNode,
): readonly { readonly name: string; readonly line: number | undefined }[] {
  const declared = new Map<string, number | undefined>();
  const used = new Set<string | undefined>();
  walk(tree, (node) => {
    if (node.type === 'Declaration' && node.property.startsWith('--')) {
      declared.set(node.property, node.loc?.start.line);
    }
    if (node.type === 'Function' && node.name === 'var') used.add(firstName(node));
  });
  return [...declared].flatMap(([name, line]) => (used.has(name) ? [] : [{ name, line }]));
}

type Target =
  | { readonly url: string }
  | { readonly severity: BrandingProblem['severity']; readonly problem: string }
  | { readonly isLeft: true };

function resolveUrl(value: string, urlOf: StyleCheck['urlOf']): Target {
  if (value.startsWith('data:') || value.startsWith('#')) return { isLeft: true };
  if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(value)) {
    return {
      severity: 'warning',
      problem: `loads ${value.slice(0, 120)}, which browsers refuse: pages load nothing from elsewhere. Put the file into the branding.`,
    };
  }
  const name = value.replace(/^(\.\/|\.\.\/)?(static\/)?/, '').replace(/[?#].*$/, '');
  const url = urlOf(name);
  if (url !== undefined) return { url };
  return {
    severity: 'error',
    problem: `loads ${value.slice(0, 120)}, which is no file of the branding: add it, or correct its name.`,
  };
}

function firstName(node: CssNode): string | undefined {
  let name: string | undefined;
  walk(node, (child) => {
    if (child.type === 'Identifier') name ??= child.name;
  });
  return name;
}

function replaced(text: string, replacements: readonly Replacement[]): string {
  return replacements
    .toSorted((one, other) => other.start - one.start)
    .reduce((rest, { start, end, text: put }) => rest.slice(0, start) + put + rest.slice(end), text);
}
