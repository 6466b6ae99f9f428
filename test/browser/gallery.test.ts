import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { violationsOf } from './axe.ts';
import { openBrowser } from './browser.ts';
import { serveGallery, tour, WINDOWS } from './gallery.ts';

describe('every page of the gallery', () => {
  let browser: Browser;
  let gallery: Awaited<ReturnType<typeof serveGallery>>;
  beforeAll(async () => {
    [browser, gallery] = await Promise.all([openBrowser(), serveGallery()]);
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await gallery.close();
  });

  test.each(['en', 'ar'])(
    'in %s breaks no rule of axe in the light or the dark, fits a phone and asks no third party',
    async (lang) => {
      const wrong: string[] = [];
      await tour(browser, {
        url: gallery.url,
        lang,
        context: { viewport: WINDOWS.phone, colorScheme: 'light', reducedMotion: 'reduce' },
        look: async (page, { id }) => {
          const found = await violationsOf(page);
          const isWide = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
          if (isWide === true) found.push('is wider than the window');
          await page.emulateMedia({ colorScheme: 'dark' });
          // What the dark scheme changes is colours.
          found.push(...(await violationsOf(page, ['color-contrast', 'link-in-text-block'])));
          await page.emulateMedia({ colorScheme: 'light' });
          const loaded = await page.evaluate(
            'performance.getEntriesByType("resource").map(({ name }) => name)',
          );
          const foreign = (loaded as string[]).filter(
            (name) => !name.startsWith(gallery.url) && !name.startsWith('data:'),
          );
          found.push(...foreign.map((name) => `loads ${name}`));
          wrong.push(...found.map((violation) => `${id}: ${violation}`));
        },
      });
      expect(wrong).toEqual([]);
    },
    240_000,
  );
});
