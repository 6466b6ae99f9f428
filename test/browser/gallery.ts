import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openPreview } from '../../cli/preview/preview.ts';
import { createLog } from '../../core/runtime/log.ts';
import { ENTRIES, type Entry } from '../../server/interactive/gallery/entries.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const WINDOWS = {
  phone: { width: 360, height: 740 },
  desktop: { width: 1280, height: 800 },
} as const;

/** The gallery, served for the browsers of a test. */
export async function serveGallery(branding?: string): Promise<{ url: string; close: () => Promise<void> }> {
  const stop = new AbortController();
  const preview = await openPreview({
    port: 0,
    host: '127.0.0.1',
    log: createLog({ name: 'preview', level: 'silent' }),
    signal: stop.signal,
    onProblems: (lines) => {
      const errors = lines.filter((line) => line.startsWith('error'));
      if (errors.length > 0) throw new Error(errors.join('\n'));
    },
    ...(branding !== undefined && { branding }),
  });
  return {
    url: preview.url,
    async close() {
      stop.abort();
      await preview.close();
    },
  };
}

export interface Tour {
  readonly url: string;
  readonly lang: string;
  readonly context: BrowserContextOptions;
  readonly entries?: readonly Entry[];
  /** Pages that are looked at side by side. */
  readonly side?: number;
  readonly look: (page: Page, entry: Entry) => Promise<void>;
}

/** Opens every entry in a browser and looks at it. */
export async function tour(
  browser: Browser,
  { url, lang, context, entries = ENTRIES, side = 2, look }: Tour,
): Promise<void> {
  const opened = await browser.newContext(context);
  const waiting = [...entries];
  const walk = async (): Promise<void> => {
    const page = await opened.newPage();
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      await page.goto(`${url}/gallery/page/${entry.id}?lang=${lang}`);
      await look(page, entry);
    }
  };
  await Promise.all(Array.from({ length: side }, walk));
  await opened.close();
}
