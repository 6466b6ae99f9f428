import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { chromium as playwright, type Browser } from 'playwright-core';
import { writeFontConfig } from './fonts.ts';

/**
 * The Chromium that comes by npm, headless. It is built for a cloud's Linux and brings that one's libraries along, which
 * it unpacks and uses when it believes to run there: so it needs nothing of this machine, and no font of it either.
 */
export async function openBrowser(): Promise<Browser> {
  process.env['AWS_EXECUTION_ENV'] ??= 'AWS_Lambda_nodejs22.x';
  const folder = privateFolder();
  const executablePath = await withTemporaryFolder(folder, async () => {
    const { default: chromium } = await import('@sparticuz/chromium');
    return chromium.executablePath();
  });
  return playwright.launch({
    executablePath,
    env: { ...process.env, FONTCONFIG_FILE: writeFontConfig(folder) },
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    headless: true,
  });
}

/**
 * Of this user and this version: the package unpacks to the temporary folder and runs what is there already, whoever put
 * it there.
 */
function privateFolder(): string {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const manifest = readFileSync(path.join(path.dirname(entry), '../package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const cache = process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache');
  const folder = path.join(cache, 'capstan', `chromium-${version}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Node's os.tmpdir() is the folder while `act` runs. */
async function withTemporaryFolder<T>(folder: string, act: () => Promise<T>): Promise<T> {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    return await act();
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}
