import { table } from '../../../core/spec/reference.ts';
import { PAIRS, schemesOf } from '../branding/contrast.ts';
import { placeholders, type Messages } from '../branding/words.ts';
import type { BuiltIn } from '../built-in.ts';
import { LANGUAGES } from '../locale.ts';
import { createEngine } from '../render.ts';
import type { Variable } from './variables.ts';

/** What each custom property is for; a test holds that none is left out. */
export const PROPERTIES: Readonly<Record<string, string>> = {
  '--ink': 'Text',
  '--quiet': 'Text that matters less',
  '--paper': 'What text stands on',
  '--canvas': 'What lies around the sheet on a wide window',
  '--card': 'Boxes within the sheet',
  '--line': 'Borders of inputs',
  '--hair': 'Lines that only part',
  '--accent': 'Buttons, links, focus',
  '--on-accent': 'Text on buttons',
  '--good': 'Done',
  '--bad': 'Errors',
  '--action': 'The customer has to do something',
  '--accent-soft': 'Behind `--accent`; mixed from it where browsers can',
  '--good-soft': 'Behind `--good`; likewise',
  '--bad-soft': 'Behind `--bad`; likewise',
  '--action-soft': 'Behind `--action`; likewise',
  '--radius': 'Corners',
  '--shadow': 'Under the sheet and buttons',
  '--font': 'Of all text',
  '--mono': 'Of accounts, memos and references',
};

const code = (text: string): string => `\`${text.replaceAll('|', '\\|').replaceAll('`', "'")}\``;

/** What stands between the hand-written part of docs/branding.md and the generated one. */
const MARK =
  '<!-- Generated from here on by server/interactive/gallery/branding-page.ts (`make generate`); a test compares the two. -->';

/** docs/branding.md with its second part anew: what the sheet, the templates and the words themselves say. */
export function brandingPage(
  written: string,
  builtIn: BuiltIn,
  variables: ReadonlyMap<string, readonly Variable[]>,
): string {
  const [prose = ''] = written.split(MARK);
  return `${[
    prose.trimEnd(),
    MARK,
    propertiesSection(builtIn),
    templatesSection(builtIn, variables),
    wordsSection(builtIn.words.get(LANGUAGES[0]) ?? {}),
  ].join('\n\n')}\n`;
}

function propertiesSection({ sheet }: BuiltIn): string {
  const [light, dark] = schemesOf([sheet]);
  const rows = [...light.properties].map(([name, value]) => [
    code(name),
    PROPERTIES[name] ?? '',
    code(value),
    dark.properties.get(name) === value ? '' : code(dark.properties.get(name) ?? ''),
  ]);
  const pairs = PAIRS.map(({ front, back, least }) => `${code(front)} on ${code(back)} ${least}`).join(', ');
  return `## Custom properties

${table([['Property', 'For', 'Light', 'Dark'], ...rows])}

Contrast is checked of these pairs, in both schemes (WCAG 2.2 AA): ${pairs}.`;
}

function templatesSection(builtIn: BuiltIn, variables: ReadonlyMap<string, readonly Variable[]>): string {
  const engine = createEngine(builtIn.templates);
  const pages = [...variables].map(([name, given]) => {
    const rows = given.map(({ path, type, isAlways }) => [
      code(path),
      isAlways ? type : `${type}, not always`,
    ]);
    return `### ${code(`${name}.liquid`)}\n\n${table([['Variable', 'Holds'], ...rows])}`;
  });
  const parts = [...builtIn.templates.keys()]
    .filter((name) => !variables.has(name) && name !== 'layout')
    .map((name) => {
      const { globals } = engine.analyzeSync(engine.parse(builtIn.templates.get(name) ?? ''), {
        partials: false,
      });
      return [code(`${name}.liquid`), Object.keys(globals).map(code).join(', ')];
    });
  return `## Templates

Each page is a whole template that fills the blocks \`scripts\` and \`content\` of \`layout.liquid\`. Every page has \`lang\`, \`dir\`,
\`organization\` (\`name\`, \`url\`, \`supportEmail\`, \`logo\`), \`logo_dark\`, \`is_test\` and \`has_theme\` beside what is listed.

${pages.join('\n\n')}

### Parts

They are drawn by \`{% render 'part', name: value %}\` and see only what they are given.

${table([['Template', 'Given'], ...parts])}`;
}

function wordsSection(words: Messages): string {
  const lines = Object.entries(words).map(([key, text]) => {
    const given = placeholders(text).all.map((name) => code(`{${name}}`));
    return `- ${code(key)}${given.length === 0 ? '' : ` (${given.join(', ')})`}: ${escaped(text)}`;
  });
  return `## Words\n\nEach with what it is given, and what it says in English.\n\n${lines.join('\n')}`;
}

/** Text that is no Markdown. */
const escaped = (text: string): string => text.replaceAll(/([*_<`])/g, String.raw`\$1`);
