import path from 'node:path';
import { Liquid } from 'liquidjs';
import type { Language, MessageValues, Translator } from './locale.ts';
import type { StaticFiles } from './static.ts';

/** What ships with Capstan: templates/, locales/ and static/ beside this file. */
export const BUILT_IN = import.meta.dirname;

/** Bounds for templates that are not ours: a loop in one of them must not hold the server. */
const LIMITS = { parseLimit: 1_000_000, renderLimit: 2_000, memoryLimit: 50_000_000 };

export interface RendererOptions {
  /** Folders with `templates/`; a template of a later one replaces the built-in one of the same name. */
  readonly roots: readonly string[];
  readonly translators: ReadonlyMap<Language, Translator>;
  readonly files: StaticFiles;
}

export interface Renderer {
  /** A whole page or a fragment. Everything that a template prints is escaped. */
  render(translator: Translator, template: string, view: object): string;
}

/** Templates are compiled at their first use and kept. */
export function createRenderer({ roots, translators, files }: RendererOptions): Renderer {
  const folders = roots.map((root) => path.join(root, 'templates')).toReversed();
  const engines = new Map(
    [...translators].map(([lang, translator]) => [lang, createEngine(folders, translator, files)]),
  );
  return {
    render(translator, template, view) {
      const engine = engines.get(translator.lang);
      if (!engine) throw new TypeError(`no templates for ${translator.lang}`);
      const html: unknown = engine.renderFileSync(template, {
        lang: translator.lang,
        dir: translator.dir,
        ...view,
      });
      return String(html);
    },
  };
}

function createEngine(root: string[], translator: Translator, files: StaticFiles): Liquid {
  const engine = new Liquid({
    root,
    extname: '.liquid',
    outputEscape: 'escape',
    cache: true,
    relativeReference: false,
    ownPropertyOnly: true,
    strictFilters: true,
    ...LIMITS,
  });
  // {{ 'key' | t: name: value }}
  engine.registerFilter('t', (key: unknown, ...named: unknown[]) =>
    translator.t(String(key), valuesOf(named)),
  );
  // {{ 'style.css' | asset }}
  engine.registerFilter('asset', (name: unknown) => files.urlOf(String(name)) ?? '');
  return engine;
}

/** LiquidJS hands named arguments over as pairs. */
function valuesOf(named: readonly unknown[]): MessageValues {
  return Object.fromEntries(
    named.flatMap((pair): [string, string | number][] => {
      if (!Array.isArray(pair)) return [];
      const [name, value] = pair as unknown[];
      return [[String(name), typeof value === 'number' ? value : textOf(value)]];
    }),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
