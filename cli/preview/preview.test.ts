import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLog } from '../../core/runtime/log.ts';
import { eventually } from '../../test/support/eventually.ts';
import { openPreview, type Preview } from './preview.ts';

const DEMO = fileURLToPath(new URL('../../examples/anchors/demo.yaml', import.meta.url));
let folder: string;
let stop: AbortController;
let preview: Preview | undefined;
let told: (readonly string[])[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'preview-'));
  stop = new AbortController();
  told = [];
});
afterEach(async () => {
  stop.abort();
  await preview?.close();
  preview = undefined;
  await rm(folder, { recursive: true });
});

async function open(options: { file?: string; branding?: string }): Promise<string> {
  preview = await openPreview({
    port: 0,
    host: '127.0.0.1',
    log: createLog({ name: 'test', level: 'silent' }),
    signal: stop.signal,
    onProblems: (lines) => void told.push(lines),
    ...options,
  });
  return preview.url;
}
const text = async (url: string): Promise<string> => (await fetch(url)).text();

describe('capstan preview', () => {
  test('shows the pages of a manifest that leaves its keys out, in any language, light and dark', async () => {
    const url = await open({ file: DEMO });
    const page = await text(`${url}/gallery/page/deposit-amount?lang=ar&scheme=dark`);
    expect(page).toContain('<html lang="ar" dir="rtl">');
    expect(page).toContain('Capstan Demo');
    const [, sheet] = /href="(\/sep24\/assets\/style\.[0-9a-f]+\.css\?scheme=dark)"/.exec(page)!;
    const dark = await text(url + sheet!);
    expect(dark).not.toMatch(/prefers-color-scheme/);
    expect(await text(`${url}/`)).toContain('/gallery/gallery.js');
    const { entries } = (await (await fetch(`${url}/gallery/entries.json`)).json()) as { entries: unknown[] };
    expect(entries.length).toBeGreaterThan(50);
  });

  test('lets nobody out: forms and links of the pages leave the frame as it is', async () => {
    const url = await open({});
    const sent = await fetch(`${url}/sep24/interactive?transaction_id=x`, {
      method: 'POST',
      body: new URLSearchParams(),
    });
    expect(sent.status).toBe(204);
    for (const missing of [
      '/gallery/page/nothing',
      '/gallery/..%2fpreview.ts',
      '/gallery/preview.ts',
      '/etc',
    ]) {
      expect([missing, (await fetch(url + missing)).status]).toEqual([missing, 404]);
    }
    const framed = await fetch(`${url}/gallery/page/error-used`);
    expect(framed.status).toBe(403);
    expect(framed.headers.get('content-security-policy')).toContain(`frame-ancestors ${url} `);
  });

  test('follows a branding that changes, and goes on with ours where it is broken', async () => {
    await writeFile(path.join(folder, 'en.json'), '{"error.used.title": "First words"}');
    const url = await open({ branding: folder });
    const page = `${url}/gallery/page/error-used`;
    expect(await text(page)).toContain('First words');
    const events = await fetch(`${url}/gallery/events`);
    const reader = events.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    await reader.read();
    await writeFile(path.join(folder, 'en.json'), '{"error.used.title": "Second words"}');
    await eventually('the change shows', async () => (await text(page)).includes('Second words'), 20_000);
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('data: changed');
    await writeFile(path.join(folder, 'message.liquid'), '{% nonsense %}');
    await eventually('the mistake is told', () => told.at(-1)?.length === 1, 20_000);
    expect(told.at(-1)).toEqual(['error: message.liquid:1: tag "nonsense" not found.']);
    expect(await text(page)).toContain('Second words');
    await reader.cancel();
  }, 60_000);
});
