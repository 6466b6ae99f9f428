import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { systemClock } from '../../core/runtime/clock.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import { createLog, type Log } from '../../core/runtime/log.ts';
import { createMetrics } from '../../core/runtime/metrics.ts';
import { createShutdown } from '../../core/runtime/shutdown.ts';
import { watchFiles } from '../../core/runtime/watch-file.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { createApp } from '../../server/app.ts';
import { NO_BRANDING, type Branding } from '../../server/interactive/branding/branding.ts';
import { followBranding } from '../../server/interactive/branding/follow.ts';
import { formatProblem, type BrandingProblem } from '../../server/interactive/branding/problem.ts';
import { BUILT_IN_FOLDER, readBuiltIn } from '../../server/interactive/built-in.ts';
import { createGallery, drawAll, type Gallery } from '../../server/interactive/gallery/gallery.ts';
import { LANGUAGES } from '../../server/interactive/locale.ts';
import { VERSION } from '../version.ts';
import { sayReady } from '../roles/say-ready.ts';
import { readPreviewAnchor } from './anchor.ts';
import { galleryRoutes, type Exhibition } from './routes.ts';

export interface PreviewOptions {
  /** The Anchor manifest; without it an anchor that does not exist. */
  readonly file?: string;
  /** In place of the manifest's `branding.folder`. */
  readonly branding?: string;
  readonly port: number;
  readonly host: string;
}

/** `capstan preview`: every page in every state, until Ctrl-C. */
export async function runPreview(options: PreviewOptions): Promise<number> {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const log = createLog({ name: 'preview', level: 'warn' });
  const shutdown = createShutdown({ process, clock: systemClock, log });
  const preview = await openPreview({
    ...options,
    log,
    signal: shutdown.signal,
    onProblems: (lines) => lines.forEach(write),
  });
  shutdown.add({ name: 'preview', timeoutMs: 1_000, stop: preview.close });
  write(`The gallery of ${preview.name} is at ${preview.url} and follows what you change. Ctrl-C ends it.`);
  sayReady({ url: preview.url });
  return shutdown.finished;
}

export interface Preview {
  readonly url: string;
  /** Whose pages these are. */
  readonly name: string;
  readonly close: () => Promise<void>;
}

export interface OpenOptions extends PreviewOptions {
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told what is wrong, a line each, whenever that changes. */
  readonly onProblems: (lines: readonly string[]) => void;
}

/**
 * Serves the gallery.
 * @throws {ManifestErrors | ConfigUnreadable | BrandingUnreadable}
 */
export async function openPreview(options: OpenOptions): Promise<Preview> {
  const { log, signal, port, host } = options;
  const source = await readPreviewAnchor(options.file);
  const folder = options.branding === undefined ? source.folder : path.resolve(options.branding);
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  const url = `http://${host === '0.0.0.0' ? 'localhost' : host}:${actual}`;
  const framed = [url, `http://localhost:${actual}`, `http://127.0.0.1:${actual}`];
  const { anchor } = source;
  const exhibition = await exhibit({
    anchor: { ...anchor, server: { ...anchor.server, frameAncestors: framed } },
    folder,
    options,
  });
  const app = createApp({
    routers: [galleryRoutes(exhibition)],
    log,
    metrics: createMetrics({ process: 'preview', version: VERSION, defaults: false }),
    clock: systemClock,
    rateLimits: [],
    hsts: false,
    // Streams of events stay open.
    requestTimeoutMs: 86_400_000,
  });
  const handle = app.callback();
  signal.throwIfAborted();
  return {
    url,
    name: anchor.organization.name,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

interface ExhibitOptions {
  readonly anchor: Anchor;
  readonly folder: string | undefined;
  readonly options: OpenOptions;
}

/** Makes a gallery, and a new one whenever the branding or our own templates change. */
async function exhibit({ anchor, folder, options }: ExhibitOptions): Promise<Exhibition> {
  const { log, signal, onProblems } = options;
  let builtIn = readBuiltIn();
  let branding: Branding = NO_BRANDING;
  let gallery: Gallery = createGallery({ anchor, branding, builtIn, clock: systemClock, log });
  let problems: readonly BrandingProblem[] = [];
  const listeners = new Set<() => void>();
  const hang = async (): Promise<void> => {
    const next = createGallery({ anchor, branding, builtIn, clock: systemClock, log });
    // Their templates may be wrong in ways that only drawing shows.
    problems = branding.templates.size === 0 ? next.problems : await drawAll(next, LANGUAGES);
    gallery = next;
    onProblems(problems.map((problem) => `${problem.severity}: ${formatProblem(problem)}`));
    for (const heard of listeners) heard();
  };
  if (folder !== undefined) {
    await followBranding({
      folder,
      builtIn,
      clock: systemClock,
      log,
      signal,
      pollMs: 1_000,
      wear: (worn) => {
        branding = worn;
        void hang();
      },
    });
  }
  await hang();
  await watchFiles({
    paths: ['templates', 'locales', 'static'].map((name) => path.join(BUILT_IN_FOLDER, name, 'any')),
    digest: async () => JSON.stringify(fingerprintsOf(readBuiltIn())),
    clock: systemClock,
    log,
    signal,
    onChange: async () => {
      try {
        builtIn = readBuiltIn();
        await hang();
      } catch (error) {
        onProblems([`error: ${messageOf(error)}`]);
      }
    },
  });
  return {
    gallery: () => gallery,
    problems: () => problems,
    onChange(heard) {
      listeners.add(heard);
      return () => void listeners.delete(heard);
    },
  };
}

const fingerprintsOf = ({ words, templates, files }: ReturnType<typeof readBuiltIn>): unknown => [
  [...words],
  [...templates],
  files.map(({ url }) => url),
];
