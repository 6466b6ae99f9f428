import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { violationsOf } from './axe.ts';
import { openBrowser } from './browser.ts';
import { serveGallery, tour, WINDOWS } from './gallery.ts';

const HOUR_MS = 3_600_000;

let browser: Browser;
let gallery: Awaited<ReturnType<typeof serveGallery>>;
beforeAll(async () => {
  [browser, gallery] = await Promise.all([openBrowser(), serveGallery()]);
}, 60_000);
afterAll(async () => {
  await browser.close();
  await gallery.close();
});

describe('every page of the gallery', () => {
  test.each(['en', 'ar'])(
    'in %s breaks no rule of axe in the light, the dark or high contrast, fits a phone and asks no third party',
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
          await page.emulateMedia({ contrast: 'more' });
          found.push(...(await violationsOf(page, ['color-contrast'])));
          await page.emulateMedia({ colorScheme: 'light', contrast: 'no-preference' });
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
    360_000,
  );
});

describe('a page that shows a transaction', () => {
  async function open(entry: string, prepare?: (page: Page) => Promise<void>): Promise<Page> {
    const context = await browser.newContext({ viewport: WINDOWS.phone, colorScheme: 'dark' });
    const page = await context.newPage();
    await prepare?.(page);
    await page.goto(`${gallery.url}/gallery/page/${entry}?lang=en`);
    return page;
  }

  test('is printed dark on white, with amounts, history and references, without what only a screen can do', async () => {
    const page = await open('deposit-completed');
    const copy = page.getByRole('button', { name: 'Copy' }).first();
    expect(await copy.isVisible()).toBe(true);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.copy:visible, .actions:visible, .live:visible').count()).toBe(0);
    for (const title of ['Amounts', 'What happened so far', 'References'])
      expect(await page.getByRole('heading', { name: title }).isVisible()).toBe(true);
    const colours = `getComputedStyle(document.body).color + getComputedStyle(document.body).backgroundColor`;
    expect(await page.evaluate(colours)).toMatch(/^rgb\(0, 0, 0\)rgba?\((255, 255, 255|0, 0, 0, 0)\)$/);
    await page.context().close();
  });

  test('counts down how long may be paid, by itself', async () => {
    const page = await open('deposit-pending-user-transfer-start', async (opening) => {
      await opening.clock.install();
    });
    const left = page.locator('[data-countdown]');
    expect(await left.textContent()).toMatch(/^in (46|47|48) hours$/);
    const end = Date.parse((await left.getAttribute('data-countdown')) ?? '');
    const now = await page.evaluate('Date.now()');
    await page.clock.fastForward(end - Number(now) - 2.5 * HOUR_MS);
    expect(await left.textContent()).toMatch(/^in [23] hours$/);
    await page.context().close();
  });
});
