import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import Koa, { type Context } from 'koa';
import { rememberRequest } from '../../request.ts';
import type { Branding } from '../branding/branding.ts';
import type { BrandingProblem } from '../branding/problem.ts';
import { errorPages } from '../errors.ts';
import { PATHS } from '../origin.ts';
import type { Page, Shell } from '../shell.ts';
import type { StaticFile } from '../static.ts';
import { ENTRIES, type Entry } from './entries.ts';
import { galleryShell, sceneOf, type GalleryShellOptions } from './scene.ts';

export interface Gallery {
  /** Draws an entry into an answer, headers and all; the language is that of `ctx.query.lang`. */
  draw(ctx: Context, entry: Entry): Promise<void>;
  /** The same without a network. */
  look(entry: Entry, lang: string): Promise<Drawn>;
  wear(branding: Branding): void;
  fileAt(url: string): StaticFile | undefined;
  /** Of the branding: of its files, and of drawing with them so far. */
  readonly problems: readonly BrandingProblem[];
}

/** A page as it came out. */
export interface Drawn {
  readonly status: number;
  readonly html: string;
  /** What its template was given. */
  readonly page: Page | undefined;
}

/** Every page of the real server in every state, with made-up data. */
export function createGallery(options: GalleryShellOptions): Gallery {
  const { anchor, log } = options;
  const real = galleryShell(options);
  const test = galleryShell({
    ...options,
    anchor: { ...anchor, network: { ...anchor.network, name: 'testnet' } },
  });
  const app = new Koa();
  const draw = async (ctx: Context, entry: Entry, shell: Shell): Promise<void> => {
    await errorPages(shell)(ctx, async () => await entry.draw(sceneOf(ctx, shell)));
  };
  const shellOf = ({ isTest }: Entry): Shell => (isTest === true ? test : real);
  return {
    draw: (ctx, entry) => draw(ctx, entry, shellOf(entry)),
    async look(entry, lang) {
      const ctx = offline(app, `${PATHS.moreInfo}?lang=${lang}`);
      rememberRequest(ctx, { id: 'gallery', client: '', log });
      const seen: Page[] = [];
      await draw(
        ctx,
        entry,
        watching(shellOf(entry), (page) => void seen.push(page)),
      );
      return { status: ctx.status, html: String(ctx.body), page: seen.at(-1) };
    },
    wear(branding) {
      real.wear(branding);
      test.wear(branding);
    },
    fileAt: (url) => real.fileAt(url),
    get problems() {
      return [
        ...new Map([...real.problems, ...test.problems].map((one) => [JSON.stringify(one), one])).values(),
      ];
    },
  };
}

/** The same shell, telling what its pages are given. */
function watching(shell: Shell, onPage: (page: Page) => void): Shell {
  return {
    ...shell,
    show(ctx, translator, page) {
      onPage(page);
      shell.show(ctx, translator, page);
    },
  };
}

/** A request that nobody sent. */
function offline(app: Koa, url: string): Context {
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  request.url = url;
  return app.createContext(request, new ServerResponse(request));
}

/** Draws all of them in these languages, so that what only drawing can show is found; answers what is wrong then. */
export async function drawAll(
  gallery: Gallery,
  langs: readonly string[],
): Promise<readonly BrandingProblem[]> {
  for (const lang of langs) for (const entry of ENTRIES) await gallery.look(entry, lang);
  return gallery.problems;
}
