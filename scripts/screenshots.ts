import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ENTRIES } from '../server/interactive/gallery/entries.ts';
import { openBrowser } from '../test/browser/browser.ts';
import { ROOT, serveGallery, tour, WINDOWS } from '../test/browser/gallery.ts';

/** `make screenshots`: every page of the gallery in .build/screenshots, with an index.html to look at them. */
const FOLDER = path.join(ROOT, '.build/screenshots');
const [only = '', branding] = process.argv.slice(2);
const entries = ENTRIES.filter(({ id }) => id.includes(only));
const SCHEMES = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  contrast: { colorScheme: 'light', contrast: 'more' },
  'contrast-dark': { colorScheme: 'dark', contrast: 'more' },
  forced: { colorScheme: 'dark', forcedColors: 'active' },
} as const;
const EVERYWHERE: readonly (keyof typeof SCHEMES)[] = ['light', 'dark'];
const ALL = Object.keys(SCHEMES) as (keyof typeof SCHEMES)[];
const WINDOW_NAMES = Object.keys(WINDOWS) as (keyof typeof WINDOWS)[];
const series = WINDOW_NAMES.flatMap((window) =>
  ['en', 'ar'].flatMap((lang) => {
    const schemes = window === 'phone' && lang === 'en' ? ALL : EVERYWHERE;
    return schemes.map((scheme) => ({ window, scheme, lang, folder: `${window}-${scheme}-${lang}` }));
  }),
);

const [browser, gallery] = await Promise.all([openBrowser(), serveGallery(branding)]);
const startedMs = performance.now();
for (const { window, scheme, lang, folder: name } of series) {
  const folder = path.join(FOLDER, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await tour(browser, {
    url: gallery.url,
    lang,
    entries,
    context: {
      ...SCHEMES[scheme],
      viewport: WINDOWS[window],
      reducedMotion: 'reduce',
      timezoneId: 'UTC',
    },
    look: async (page, { id }) => {
      await page.screenshot({ path: path.join(folder, `${id}.png`), fullPage: true });
    },
  });
}
await browser.close();
await gallery.close();

const figure = (folder: string, { id, title }: (typeof ENTRIES)[number]): string =>
  `<figure><a href="${folder}/${id}.png"><img loading="lazy" src="${folder}/${id}.png" alt=""></a><figcaption>${title}</figcaption></figure>`;
const sections = series.map(
  ({ window, scheme, lang, folder }) =>
    `<h2 id="${folder}">${window}, ${scheme}, ${lang}</h2><div>${entries.map((entry) => figure(folder, entry)).join('\n')}</div>`,
);
writeFileSync(
  path.join(FOLDER, 'index.html'),
  `<!doctype html><meta charset="utf-8"><title>Screenshots</title>
<style>body{font:1rem system-ui;margin:1rem}div{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;width:200px}img{width:200px;border:1px solid #8888}</style>
${sections.join('\n')}`,
);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
console.log(
  `${entries.length * series.length} screenshots in ${seconds} s: ${path.join(FOLDER, 'index.html')}`,
);
process.exit(0);
