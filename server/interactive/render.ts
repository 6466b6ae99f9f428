import { Liquid } from 'liquidjs';
import type { Templates } from './branding/templates.ts';
import type { Language, MessageValues, Translator } from './locale.ts';
import { OptionsTag } from './options-tag.ts';
import type { StaticFiles } from './static.ts';

/**
 * Bounds for templates that are not ours: a loop in one of them must not hold the server. Ours have none: by the clock, as
 * LiquidJS counts, a page that a busy machine draws would be a defect.
 */
const LIMITS = { parseLimit: 1_000_000, renderLimit: 1_000, memoryLimit: 50_000_000 };

export interface RendererOptions {
  readonly ours: Templates;
  /** Each in place of ours of the same name. */
  readonly theirs: Templates;
  readonly translators: ReadonlyMap<Language, Translator>;
  readonly files: StaticFiles;
  /** Told when a page could not be drawn with their templates; ours have drawn it then. */
  readonly onFailure: (error: unknown) => void;
}

export interface Renderer {
  /** A whole page or a fragment. Everything that a template prints is escaped. */
  render(translator: Translator, template: string, view: object): string;
}

type Engines = ReadonlyMap<Language, Liquid>;

/** Templates are compiled at their first use and kept. */
export function createRenderer(options: RendererOptions): Renderer {
  const { ours, theirs, onFailure } = options;
  const builtIn = enginesFor(ours, options, {});
  const branded = theirs.size === 0 ? undefined : enginesFor(new Map([...ours, ...theirs]), options, LIMITS);
  return {
    render(translator, template, view) {
      if (!branded) return draw(builtIn, translator, template, view);
      try {
        return draw(branded, translator, template, view);
      } catch (error) {
        onFailure(error);
        return draw(builtIn, translator, template, view);
      }
    },
  };
}

function draw(engines: Engines, translator: Translator, template: string, view: object): string {
  const engine = engines.get(translator.lang);
  if (!engine) throw new TypeError(`no templates for ${translator.lang}`);
  const html: unknown = engine.renderFileSync(template, {
    lang: translator.lang,
    dir: translator.dir,
    ...view,
  });
  return String(html);
}

function enginesFor(
  templates: Templates,
  { translators, files }: RendererOptions,
  limits: Partial<typeof LIMITS>,
): Engines {
  return new Map(
    [...translators].map(([lang, translator]) => [
      lang,
      createEngine(
        templates,
        {
          t: (key, values) => translator.t(key, values),
          asset: (name) => files.urlOf(name) ?? '',
        },
        limits,
      ),
    ]),
  );
}

/** What the filters of templates do. */
export interface Filters {
  readonly t: (key: string, values: MessageValues) => string;
  readonly asset: (name: string) => string;
}

const SILENT: Filters = { t: () => '', asset: () => '' };

/** Knows these templates and nothing else: none of them reaches a file. */
export function createEngine(
  templates: Templates,
  filters: Filters = SILENT,
  limits: Partial<typeof LIMITS> = LIMITS,
): Liquid {
  const engine = new Liquid({
    templates: Object.fromEntries([...templates].map(([name, text]) => [`${name}.liquid`, text])),
    extname: '.liquid',
    outputEscape: 'escape',
    cache: true,
    relativeReference: false,
    ownPropertyOnly: true,
    strictFilters: true,
    ...limits,
  });
  // {{ 'key' | t: name: value }}
  engine.registerFilter('t', (key: unknown, ...named: unknown[]) => filters.t(String(key), valuesOf(named)));
  engine.registerTag('options', OptionsTag);
  // {{ 'style.css' | asset }}
  engine.registerFilter('asset', (name: unknown) => filters.asset(String(name)));
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
