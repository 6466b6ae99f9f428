import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { newDataFolder, startAnchor, type AnchorProcess } from '../support/anchor-process.ts';
import { openBrowser } from './browser.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** The screenshots of the last run, for people; not in git. */
const SHOTS = path.join(ROOT, '.build/screenshots');
const PHONE = { width: 360, height: 740 };
const run = promisify(execFile);

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe finds wrong on the page, as one line each. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  // Not a script of the page, which its policy would refuse: the browser's own isolated world.
  const found = await page.evaluate(`${AXE}; axe.run(document, { resultTypes: ['violations'] })`);
  return (found as { violations: Violation[] }).violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
  );
}

describe('the customer’s pages in a real browser', () => {
  const { folder, remove } = newDataFolder();
  let anchor: AnchorProcess;
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    [anchor, browser] = await Promise.all([
      startAnchor({ data: folder, flags: ['--port', '0'] }),
      openBrowser(),
    ]);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await anchor.end('SIGTERM');
    await remove();
  });

  const openFlow = async (kind: string): Promise<string> => {
    const { stdout } = await run(
      path.join(ROOT, 'node_modules/.bin/node'),
      [path.join(ROOT, 'test/wallet/open-flow.ts'), JSON.stringify(anchor.ready), kind],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: anchor.ready.ca } },
    );
    return (JSON.parse(stdout) as { url: string }).url;
  };

  test.each([
    ['deposit', true, 'light'],
    ['deposit', false, 'dark'],
    ['withdrawal', true, 'dark'],
    ['withdrawal', false, 'light'],
  ] as const)(
    'a %s goes through on a phone (JavaScript: %s, %s) and no page breaks accessibility',
    async (kind, javaScriptEnabled, colorScheme) => {
      const url = await openFlow(kind);
      const context = await browser.newContext({
        viewport: PHONE,
        javaScriptEnabled,
        colorScheme,
        ignoreHTTPSErrors: true,
      });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().includes('422')) complaints.push(message.text());
      });
      page.on('request', (request) => {
        if (new URL(request.url()).host !== new URL(url).host)
          complaints.push(`a third party is asked: ${request.url()}`);
      });
      const look = async (name: string): Promise<void> => {
        await page.screenshot({
          path: path.join(SHOTS, `${kind}-${colorScheme}-${name}.png`),
          fullPage: true,
        });
        // Without scripts axe cannot run either; the markup is the same.
        if (!javaScriptEnabled) return;
        expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
        expect(await violationsOf(page)).toEqual([]);
      };

      await page.goto(url);
      expect(page.url()).not.toContain('token=');
      await look('1-amount');
      await page.getByRole('textbox').first().fill('not an amount');
      await page.getByRole('button').last().click();
      await page.waitForLoadState();
      await look('2-refused');
      expect(await page.locator('[aria-invalid="true"]').count()).toBe(1);
      await page.getByRole('textbox').first().fill('100');
      await page.getByRole('button').last().click();
      await page.waitForLoadState();
      await look('3-next');
      const person = {
        'f.first_name': 'Ada',
        'f.last_name': 'Lovelace',
        'f.email_address': 'ada@example.com',
      };
      for (let step = 4; (await page.locator('form[method="post"]').count()) > 0; step++) {
        expect(step).toBeLessThan(8);
        for (const [name, value] of Object.entries(person)) {
          const field = page.locator(`[name="${name}"]`);
          if ((await field.count()) > 0) await field.fill(value);
        }
        await page.locator('form[method="post"] button').last().click();
        await page.waitForLoadState();
        await look(`${step}-next`);
      }
      expect(await page.locator('body').innerText()).toMatch(/100/);
      await page.reload();
      await look('9-reloaded');
      expect(complaints).toEqual([]);

      const stranger = await browser.newContext({ ignoreHTTPSErrors: true });
      const other = await stranger.newPage();
      const answer = await other.goto(url);
      expect(answer?.status()).toBe(403);
      await stranger.close();
      await context.close();
    },
    60_000,
  );
});
