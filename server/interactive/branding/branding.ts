import type { BrandFile, BrandFolder } from './folder.ts';
import { readBrandFolder } from './folder.ts';
import { lowContrasts, schemesOf } from './contrast.ts';
import { checkContent } from './content.ts';
import type { BrandingProblem } from './problem.ts';
import { checkStyle } from './styles.ts';
import { checkTemplate, type Templates } from './templates.ts';
import { readWords, type Messages } from './words.ts';
import type { BuiltIn } from '../built-in.ts';
import { LANGUAGES, type Language } from '../locale.ts';
import { createEngine } from '../render.ts';
import { staticFile, StaticFiles, type StaticFile } from '../static.ts';

/** What a business puts in place of ours: of each file what can be used, and what is wrong with the rest. */
export interface Branding {
  readonly words: ReadonlyMap<Language, Messages>;
  readonly templates: Templates;
  /** Served beside ours, or in place of ours of the same name. */
  readonly files: readonly StaticFile[];
  readonly problems: readonly BrandingProblem[];
}

export const NO_BRANDING: Branding = { words: new Map(), templates: new Map(), files: [], problems: [] };

/** The theme's sheet; pages load it after ours. */
export const THEME = 'theme.css';

/**
 * Reads a folder or a mounted ConfigMap. What is wrong is in `problems`; those of severity `error` stand for a file (or a
 * key) that is not used.
 * @throws {BrandingUnreadable} when there is no such folder
 */
export async function loadBranding(folder: string, builtIn: BuiltIn): Promise<Branding> {
  return composeBranding(await readBrandFolder(folder), builtIn);
}

/** Pure: the branding out of its files. */
export function composeBranding({ files, problems }: BrandFolder, builtIn: BuiltIn): Branding {
  const found: BrandingProblem[] = [...problems];
  const report = (problem: BrandingProblem): void => void found.push(problem);
  const byType = (extension: string): readonly BrandFile[] =>
    files.filter(({ name }) => name.endsWith(extension));
  const words = readAllWords(byType('.json'), builtIn, report);
  const served = readStaticFiles(
    files.filter(({ name }) => !/\.(json|liquid)$/.test(name)),
    builtIn,
    report,
  );
  const templates = readTemplates(
    byType('.liquid'),
    { builtIn, files: new StaticFiles([...builtIn.files, ...served]) },
    report,
  );
  return { words, templates, files: served, problems: found };
}

type Report = (problem: BrandingProblem) => void;

function readAllWords(files: readonly BrandFile[], { words }: BuiltIn, report: Report): Branding['words'] {
  return new Map(
    files.flatMap(({ name, path, content }): [Language, Messages][] => {
      const language = LANGUAGES.find((lang) => name === `${lang}.json`);
      const ours = language && words.get(language);
      if (!language || !ours) {
        const names = LANGUAGES.map((lang) => `${lang}.json`).join(', ');
        report({
          severity: 'error',
          file: path,
          message: `is of no language of the pages: there are ${names}.`,
        });
        return [];
      }
      return [[language, readWords(path, content.toString('utf8'), ours, report)]];
    }),
  );
}

function readStaticFiles(
  files: readonly BrandFile[],
  builtIn: BuiltIn,
  report: Report,
): readonly StaticFile[] {
  const good = files.filter(({ name, path, content }) => {
    const message = checkContent(name, content);
    if (message !== undefined) report({ severity: 'error', file: path, message });
    return message === undefined;
  });
  const [sheets, others] = [good.filter(isSheet), good.filter((file) => !isSheet(file))];
  const served = others.map(({ name, content }) => staticFile(name, content));
  const known = new StaticFiles([...builtIn.files, ...served]);
  const styles = sheets.flatMap((file) => readStyle(file, { builtIn, known }, report));
  return [...served, ...styles];
}

const isSheet = ({ name }: BrandFile): boolean => name.endsWith('.css');

function readStyle(
  { name, path, content }: BrandFile,
  { builtIn, known }: { readonly builtIn: BuiltIn; readonly known: StaticFiles },
  report: Report,
): readonly StaticFile[] {
  const properties = new Set(schemesOf([builtIn.sheet]).flatMap((scheme) => [...scheme.properties.keys()]));
  const { text, problems } = checkStyle({
    file: path,
    text: content.toString('utf8'),
    urlOf: (file) => known.urlOf(file),
    properties,
  });
  problems.forEach(report);
  if (problems.some(({ severity }) => severity === 'error')) return [];
  if (name === THEME) {
    for (const { front, back, least, scheme, ratio } of lowContrasts(schemesOf([builtIn.sheet, text]))) {
      const message = `${front} on ${back} has a contrast of ${ratio.toFixed(2)} in the ${scheme} scheme: WCAG AA asks for ${least}.`;
      report({ severity: 'warning', file: path, message });
    }
  }
  return [staticFile(name, Buffer.from(text))];
}

function readTemplates(
  files: readonly BrandFile[],
  { builtIn, files: served }: { readonly builtIn: BuiltIn; readonly files: StaticFiles },
  report: Report,
): Templates {
  const nameOf = (file: BrandFile): string => file.name.replace(/\.liquid$/, '');
  const theirs = new Map(files.map((file) => [nameOf(file), file.content.toString('utf8')]));
  const engine = createEngine(new Map([...builtIn.templates, ...theirs]));
  const english = builtIn.words.get(LANGUAGES[0]) ?? {};
  return new Map(
    files.flatMap((file): [string, string][] => {
      const name = nameOf(file);
      const text = theirs.get(name) ?? '';
      const problems = checkTemplate({
        file: file.path,
        name,
        text,
        ours: builtIn.templates,
        theirs,
        engine,
        hasWords: (key) => Object.hasOwn(english, key),
        hasFile: (asset) => served.urlOf(asset) !== undefined,
      });
      problems.forEach(report);
      return problems.length === 0 ? [[name, text]] : [];
    }),
  );
}
