import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { Router } from '@koa/router';
import type { Context } from 'koa';
import { formatProblem, type BrandingProblem } from '../../server/interactive/branding/problem.ts';
import { ENTRIES } from '../../server/interactive/gallery/entries.ts';
import type { Gallery } from '../../server/interactive/gallery/gallery.ts';
import { LANGUAGES } from '../../server/interactive/locale.ts';
import { PATHS } from '../../server/interactive/origin.ts';
import { HttpError } from '../../server/middleware/http-error.ts';

/** What the gallery shows now; another takes its place when a file changes. */
export interface Exhibition {
  readonly gallery: () => Gallery;
  /** What is wrong: of the branding, and of what was tried last. */
  readonly problems: () => readonly BrandingProblem[];
  /** Calls back after each change, until the answer is called. */
  readonly onChange: (heard: () => void) => () => void;
}

/** Paths of the gallery itself; those of the pages stay what they are. */
export const GALLERY_PATHS = {
  page: '/gallery/page',
  entries: '/gallery/entries.json',
  events: '/gallery/events',
} as const;

/** The gallery's own page holds frames of its own origin, and nothing inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
].join('; ');

const FILES: Readonly<Record<string, string>> = {
  'gallery.html': 'text/html; charset=utf-8',
  'gallery.css': 'text/css; charset=utf-8',
  'gallery.js': 'text/javascript; charset=utf-8',
};

export function galleryRoutes(exhibition: Exhibition): Router {
  const router = new Router();
  router.get('/', (ctx) => sendOwn(ctx, 'gallery.html'));
  router.get('/gallery/:file', async (ctx) => {
    const file = ctx.params['file'] ?? '';
    if (`/gallery/${file}` === GALLERY_PATHS.entries) return sendEntries(ctx, exhibition);
    if (`/gallery/${file}` === GALLERY_PATHS.events) return sendEvents(ctx, exhibition);
    await sendOwn(ctx, file);
  });
  router.get(`${GALLERY_PATHS.page}/:id`, async (ctx) => {
    const entry = ENTRIES.find(({ id }) => id === ctx.params['id']);
    if (!entry) throw new HttpError(404, 'there is no such page in the gallery');
    await exhibition.gallery().draw(ctx, entry);
    if (ctx.query['scheme'] === 'dark' && typeof ctx.body === 'string') ctx.body = inTheDark(ctx.body);
  });
  router.get(`${PATHS.assets}/:file`, (ctx) => sendAsset(ctx, exhibition.gallery()));
  // What the pages' own buttons and scripts ask for: the frame stays where it is.
  for (const asked of [
    PATHS.interactive,
    PATHS.fee,
    PATHS.completed,
    PATHS.moreInfo,
    PATHS.status,
    PATHS.events,
  ]) {
    router.all(asked, (ctx) => {
      ctx.status = 204;
    });
  }
  return router;
}

async function sendOwn(ctx: Context, file: string): Promise<void> {
  const type = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
  if (type === undefined) throw new HttpError(404, 'there is no such file in the gallery');
  ctx.set('Content-Security-Policy', POLICY);
  ctx.set('Cache-Control', 'no-store');
  ctx.type = type;
  ctx.body = await readFile(path.join(import.meta.dirname, 'gallery', file));
}

function sendEntries(ctx: Context, { problems }: Exhibition): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.body = {
    languages: LANGUAGES,
    entries: ENTRIES.map(({ id, group, title, status }) => ({ id, group, title, status })),
    problems: problems().map((problem) => ({ severity: problem.severity, text: formatProblem(problem) })),
  };
}

/** Server-sent events: one at each change. */
function sendEvents(ctx: Context, { onChange }: Exhibition): void {
  const stream = new PassThrough();
  const stop = onChange(() => void stream.write('data: changed\n\n'));
  stream.write(': here\n\n');
  ctx.req.once('close', () => {
    stop();
    stream.end();
  });
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/event-stream';
  ctx.body = stream;
}

const DARK = '(prefers-color-scheme: dark)';
const LIGHT = '(prefers-color-scheme: light)';

/** A page's sheets are asked for in the dark: a frame cannot be given a scheme of its own. */
function inTheDark(html: string): string {
  return html
    .replaceAll(/(href="\/sep24\/assets\/[^"]*\.css)"/g, '$1?scheme=dark"')
    .replace('content="light dark"', 'content="dark"')
    .replaceAll(`media="${DARK}"`, 'media="all"');
}

function sendAsset(ctx: Context, gallery: Gallery): void {
  const file = gallery.fileAt(ctx.path);
  if (!file) throw new HttpError(404, 'there is no such file');
  ctx.set('Cache-Control', 'no-store');
  ctx.type = file.type;
  const isDark = ctx.query['scheme'] === 'dark' && file.name.endsWith('.css');
  ctx.body = isDark ? darkened(file.content.toString('utf8')) : file.content;
}

function darkened(sheet: string): string {
  return sheet
    .replaceAll(DARK, 'all')
    .replaceAll(LIGHT, 'not all')
    .replaceAll('color-scheme: light dark', 'color-scheme: dark');
}
