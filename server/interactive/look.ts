import type { BuiltIn } from './built-in.ts';
import { THEME, type Branding } from './branding/branding.ts';
import { formatProblem, type BrandingProblem } from './branding/problem.ts';
import { readLiquidError } from './branding/templates.ts';
import { createTranslator, LANGUAGES, type Language, type Translator } from './locale.ts';
import { createRenderer, type Renderer } from './render.ts';
import { StaticFiles } from './static.ts';

/** How the pages look and speak: ours with a branding over it. */
export interface Look {
  readonly translators: ReadonlyMap<Language, Translator>;
  readonly renderer: Renderer;
  readonly files: StaticFiles;
  readonly hasTheme: boolean;
  /** URLs of the branding's own logo, if it has one. */
  readonly logo: { readonly url: string | undefined; readonly darkUrl: string | undefined };
  /** Of the branding's files, and those that only drawing a page has shown; at most a few of the latter. */
  readonly problems: readonly BrandingProblem[];
}

const LOGO_TYPES = ['svg', 'webp', 'png', 'jpg'] as const;
const MAX_FAILURES = 10;

/** @param onFailure told once of each problem that only drawing a page has shown */
export function createLook(
  builtIn: BuiltIn,
  branding: Branding,
  onFailure: (problem: BrandingProblem) => void,
): Look {
  const translators = new Map(
    LANGUAGES.map((lang) => {
      const messages = { ...builtIn.words.get(lang), ...branding.words.get(lang) };
      return [lang, createTranslator(lang, messages)] as const;
    }),
  );
  const files = new StaticFiles([...builtIn.files, ...branding.files]);
  const failures = new Map<string, BrandingProblem>();
  const note = (error: unknown): void => {
    const { message, line, file = 'a template' } = readLiquidError(error);
    const problem = { severity: 'error', file, message, ...(line !== undefined && { line }) } as const;
    if (failures.size >= MAX_FAILURES || failures.has(formatProblem(problem))) return;
    failures.set(formatProblem(problem), problem);
    onFailure(problem);
  };
  const theirs = new StaticFiles(branding.files);
  const logoOf = (stem: string): string | undefined =>
    LOGO_TYPES.map((type) => theirs.urlOf(`${stem}.${type}`)).find((url) => url !== undefined);
  return {
    translators,
    files,
    renderer: createRenderer({
      ours: builtIn.templates,
      theirs: branding.templates,
      translators,
      files,
      onFailure: note,
    }),
    hasTheme: theirs.urlOf(THEME) !== undefined,
    logo: { url: logoOf('logo'), darkUrl: logoOf('logo-dark') },
    get problems() {
      return [...branding.problems, ...failures.values()];
    },
  };
}
