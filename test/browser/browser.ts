import { chromium as playwright, type Browser } from 'playwright-core';

/**
 * The Chromium that comes by npm, headless. It is built for a cloud's Linux and brings that one's libraries along, which
 * it unpacks and uses when it believes to run there: so it needs nothing of this machine.
 */
export async function openBrowser(): Promise<Browser> {
  process.env['AWS_EXECUTION_ENV'] ??= 'AWS_Lambda_nodejs22.x';
  const { default: chromium } = await import('@sparticuz/chromium');
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    headless: true,
  });
}
