import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { newDataFolder, startAnchor, type AnchorProcess } from '../support/anchor-process.ts';
import { violationsOf } from './axe.ts';
import { openBrowser } from './browser.ts';
import { ROOT, WINDOWS } from './gallery.ts';

/** The screenshots of the last run, for people; not in git. */
const SHOTS = path.join(ROOT, '.build/screenshots');
/** A poor mobile network: half a second to and fro, 400 kbit/s. */
const SLOW = { offline: false, latency: 500, downloadThroughput: 50_000, uploadThroughput: 25_000 };
const PERSON = {
  'f.first_name': 'Ada',
  'f.last_name': 'Lovelace',
  'f.email_address': 'ada@example.com',
};
const run = promisify(execFile);

async function until(isSo: () => boolean): Promise<void> {
  for (let looks = 0; !isSo(); looks++) {
    if (looks === 500) throw new Error('it did not come');
    await delay(20);
  }
}

/** What the browser complains about on a page, and who else is asked for anything. */
function complaintsOf(page: Page, host: string): readonly string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('422')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (new URL(request.url()).host !== host) complaints.push(`a third party is asked: ${request.url()}`);
  });
  return complaints;
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
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await anchor.end('SIGTERM');
    await remove();
  }, 60_000);

  const openFlow = async (kind: string): Promise<string> => {
    const { stdout } = await run(
      path.join(ROOT, 'node_modules/.bin/node'),
      [path.join(ROOT, 'test/wallet/open-flow.ts'), JSON.stringify(anchor.ready), kind],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: anchor.ready.ca } },
    );
    return (JSON.parse(stdout) as { url: string }).url;
  };
  const openPage = async (
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ page: Page; context: BrowserContext }> => {
    const context = await browser.newContext({
      viewport: WINDOWS.phone,
      ignoreHTTPSErrors: true,
      ...options,
    });
    return { page: await context.newPage(), context };
  };
  const shoot = (page: Page, name: string) =>
    page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
  /** Sends the form of the page and waits for the next one. */
  const goOn = async (page: Page): Promise<void> => {
    await Promise.all([
      page.waitForEvent('domcontentloaded'),
      page.locator('form[method="post"] button').last().click(),
    ]);
  };
  const fillPerson = async (page: Page): Promise<void> => {
    for (const [name, value] of Object.entries(PERSON)) {
      const field = page.locator(`[name="${name}"]`);
      if ((await field.count()) > 0) await field.fill(value);
    }
  };
  const goToTheEnd = async (page: Page, look: (name: string) => Promise<void>): Promise<void> => {
    for (let step = 4; (await page.locator('form[method="post"]').count()) > 0; step++) {
      expect(step).toBeLessThan(8);
      await fillPerson(page);
      await goOn(page);
      await look(`${step}-next`);
    }
  };

  test.each([
    ['deposit', true, 'light', 'fast'],
    ['deposit', false, 'dark', 'slow'],
    ['withdrawal', true, 'dark', 'slow'],
    ['withdrawal', false, 'light', 'fast'],
  ] as const)(
    'a %s goes through on a phone (JavaScript: %s, %s, a %s network) and no page breaks accessibility',
    async (kind, javaScriptEnabled, colorScheme, network) => {
      const url = await openFlow(kind);
      const { page, context } = await openPage({ javaScriptEnabled, colorScheme });
      const complaints = complaintsOf(page, new URL(url).host);
      if (network === 'slow') {
        const devtools = await context.newCDPSession(page);
        await devtools.send('Network.enable');
        await devtools.send('Network.emulateNetworkConditions', SLOW);
      }
      const look = async (name: string): Promise<void> => {
        await shoot(page, `${kind}-${colorScheme}-${name}`);
        // Without scripts axe cannot run either; the markup is the same.
        if (!javaScriptEnabled) return;
        expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
        expect(await violationsOf(page)).toEqual([]);
      };

      await page.goto(url);
      expect(page.url()).not.toContain('token=');
      await look('1-amount');
      await page.getByRole('textbox').first().fill('not an amount');
      await goOn(page);
      await look('2-refused');
      expect(await page.locator('[aria-invalid="true"]').count()).toBe(1);
      await page.getByRole('textbox').first().fill('100');
      // While typing with a script; without one by a button, which a script takes away.
      const calculate = page.locator('[data-calculate]');
      if (!javaScriptEnabled) {
        await Promise.all([page.waitForEvent('domcontentloaded'), calculate.click()]);
      }
      await page.locator('#fee .total').waitFor();
      expect(await calculate.count()).toBe(javaScriptEnabled ? 0 : 1);
      await goOn(page);
      await look('3-next');
      await goToTheEnd(page, look);
      expect(await page.locator('body').innerText()).toMatch(/100/);
      expect(page.url().includes('token=')).toBe(!javaScriptEnabled);
      await page.reload();
      await look('9-reloaded');
      await page.goBack();
      expect(await page.locator('h1').innerText()).not.toBe('');
      expect(complaints).toEqual([]);

      const stranger = await openPage();
      const answer = await stranger.page.goto(url);
      expect(answer?.status()).toBe(403);
      await Promise.all([stranger.context.close(), context.close()]);
    },
    120_000,
  );

  test.each([
    ['by events', ''],
    ['by asking, where there are none', 'delete globalThis.EventSource;'],
  ])(
    'a status page follows the transaction %s, and tells the wallet’s window',
    async (_how, before) => {
      const url = await openFlow('deposit');
      const { page: wallet, context } = await openPage();
      await context.addInitScript(before);
      const asked: string[] = [];
      context.on('request', (request) => asked.push(request.url()));
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await wallet.goto('about:blank');
      await wallet.evaluate(
        'window.heard = []; addEventListener("message", ({ data }) => window.heard.push(data.transaction.status))',
      );
      const [page] = await Promise.all([
        wallet.waitForEvent('popup'),
        wallet.evaluate(
          `void window.open(${JSON.stringify(`${url}&callback=postMessage&on_change_callback=postMessage`)})`,
        ),
      ]);
      await page.locator('#amount').fill('100');
      await goOn(page);
      await goToTheEnd(page, async () => {});
      await page.locator('#status').waitFor();
      const reference = await page.locator('#pay-2').innerText();
      await page.locator('button[data-copy="pay-2"]').click();
      await expect(page.evaluate('navigator.clipboard.readText()')).resolves.toBe(reference);
      expect(asked.some((one) => one.includes('/events?'))).toBe(before === '');
      const bank = await context.newPage();
      await bank.goto(`${anchor.ready.integration}/bank/`);
      await bank
        .getByRole('article', { name: new RegExp(reference) })
        .getByRole('button', { name: 'Received' })
        .click();
      await page.getByRole('heading', { level: 1, name: 'Your wallet has to accept the token' }).waitFor({
        timeout: 30_000,
      });
      await expect(wallet.evaluate('window.heard')).resolves.toContain('pending_trust');
      await Promise.all([
        page.waitForEvent('close'),
        page.evaluate('setTimeout(() => document.querySelector("[data-close]").click(), 0)'),
      ]);
      expect(page.isClosed()).toBe(true);
      await context.close();
    },
    120_000,
  );

  test('a whole deposit by keyboard alone, with a name for everything that a screen reader meets', async () => {
    const { page, context } = await openPage();
    await page.goto(await openFlow('deposit'));
    /** Tabs on until the focus is on what has this name. */
    const tabTo = async (name: RegExp): Promise<void> => {
      for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press('Tab');
        const focus = page.locator(':focus');
        // The calendar of a date is the browser’s own, and so is what comes behind the last link.
        if ((await focus.count()) === 0) continue;
        const focused = await focus.ariaSnapshot();
        if (name.test(focused)) return;
      }
      throw new Error(`nothing called ${name} was reached`);
    };
    const enter = () => Promise.all([page.waitForEvent('domcontentloaded'), page.keyboard.press('Enter')]);
    const tree = () => page.locator('body').ariaSnapshot();

    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').ariaSnapshot()).toContain('link "Skip to the content"');
    expect(await tree()).toMatch(/heading "Deposit SRT" \[level=1\]/);
    await tabTo(/textbox "You pay"/);
    await page.keyboard.type('100');
    await page.locator('#fee .total').waitFor();
    expect(await tree()).toMatch(/table "What it costs"/);
    await enter();
    expect(await tree()).toMatch(/heading "Who are you\?" \[level=1\]/);
    for (const label of ['First name', 'Last name', 'E-mail']) {
      await tabTo(new RegExp(`textbox "${label}"`));
      await page.keyboard.type(label === 'E-mail' ? 'ada@example.com' : 'Ada');
    }
    await tabTo(/button "Continue"/);
    await enter();
    expect(await tree()).toMatch(/heading "A few questions" \[level=1\]/);
    expect(await tree()).toMatch(/group "Your address"/);
    await tabTo(/combobox "Nationality/);
    await page.keyboard.type('Nig');
    await tabTo(/textbox "Street and number/);
    await page.keyboard.type('12 Marina Road');
    await tabTo(/radio "By e-mail"/);
    await page.keyboard.press('ArrowDown');
    await tabTo(/checkbox "Tell me about new services/);
    await page.keyboard.press('Space');
    const answers = await page.evaluate(
      'Object.fromEntries([...new FormData(document.querySelector("form"))].filter(([, value]) => typeof value === "string"))',
    );
    expect(answers).toMatchObject({
      'f.nationality': 'NER',
      'f.address': '12 Marina Road',
      'f.contact_by': 'phone',
      'f.news': 'true',
    });
    await tabTo(/button "Continue"/);
    await enter();
    expect(await tree()).toMatch(/heading "Check your deposit of SRT" \[level=1\]/);
    await tabTo(/button "Confirm"/);
    await enter();
    expect(await tree()).toMatch(/heading "Waiting for your payment" \[level=1\]/);
    await tabTo(/button "Copy"/);
    // Nothing that can be focused or read lacks a name.
    expect(await tree()).not.toMatch(/^\s*- (?:button|link|textbox|combobox|img)(?:\s*\[[^\]]*\])*$/m);
    await context.close();
  }, 120_000);

  test('a photo is shown before it travels, and made smaller; one that is no photo is refused at its field', async () => {
    const { page, context } = await openPage();
    const complaints = complaintsOf(page, new URL(anchor.ready.url).host);
    await page.goto(await openFlow('deposit'));
    await page.locator('#amount').fill('100');
    await goOn(page);
    await fillPerson(page);
    await goOn(page);
    const input = page.locator('input[type="file"]');
    const camera = await page.evaluate(`new Promise((done) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 4000, height: 3000 });
      const pen = canvas.getContext('2d');
      for (let x = 0; x < 4000; x += 20) { pen.fillStyle = 'hsl(' + x + ' 80% 50%)'; pen.fillRect(x, 0, 20, 3000); }
      canvas.toBlob(async (blob) => done([...new Uint8Array(await blob.arrayBuffer())]), 'image/jpeg', 1);
    })`);
    const photo = { name: 'id.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(camera as number[]) };
    await page.locator('[name="f.city"]').fill('Lagos');
    await input.setInputFiles({
      ...photo,
      mimeType: 'image/png',
      buffer: Buffer.from('<script>alert(1)</script>'),
    });
    await goOn(page);
    expect(await page.locator('.field.wrong .error').innerText()).toBe(
      'Choose a file of one of these types: JPEG, PNG, PDF.',
    );
    expect(await page.locator('[name="f.city"]').inputValue()).toBe('Lagos');
    await input.setInputFiles(photo);
    await page.locator('.file canvas').waitFor();
    await page.waitForFunction(
      `document.querySelector('input[type="file"]').files[0].size < ${photo.buffer.length}`,
    );
    await shoot(page, 'photo');
    expect(await violationsOf(page)).toEqual([]);
    await goOn(page);
    expect(await page.locator('h1').innerText()).toBe('Check your deposit of SRT');
    expect(complaints).toEqual([]);
    await context.close();
  }, 120_000);

  test('without a network a word says so, and the form is not lost', async () => {
    const { page, context } = await openPage();
    await page.goto(await openFlow('deposit'));
    await page.locator('#amount').fill('100');
    await context.setOffline(true);
    await page.locator('#away').waitFor({ state: 'visible' });
    await page.locator('form[method="post"] button').last().click();
    expect(await page.locator('#amount').inputValue()).toBe('100');
    await shoot(page, 'away');
    await context.setOffline(false);
    await page.locator('#away').waitFor({ state: 'hidden' });
    await goOn(page);
    expect(await page.locator('h1').innerText()).not.toBe('Deposit SRT');
    await context.close();
  }, 60_000);

  test('a form with files whose upload was stopped can be sent again after half a minute', async () => {
    const { page, context } = await openPage();
    await page.clock.install();
    await page.goto(await openFlow('deposit'));
    let sent = 0;
    // To the page it is as if the browser was told to stop: the form went, and no other page comes.
    await page.route('**', (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      sent++;
      return route.fulfill({ status: 204 });
    });
    const button = page.locator('form[method="post"] button').last();
    await page.evaluate('document.querySelector("form").enctype = "multipart/form-data"');
    await page.locator('#amount').fill('100');
    const press = () => button.dispatchEvent('click');
    await press();
    await until(() => sent === 1);
    await press();
    await page.clock.fastForward(31_000);
    expect(sent).toBe(1);
    await press();
    await until(() => sent === 2);
    await context.close();
  }, 60_000);
});
