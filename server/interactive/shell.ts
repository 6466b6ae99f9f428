import type { Context } from 'koa';
import type { Anchor } from '../../core/spec/anchor.ts';
import { setPageSecurity } from '../middleware/security-headers.ts';
import type { InteractiveDeps } from './deps.ts';
import { NO_BRANDING, type Branding } from './branding/branding.ts';
import { formatProblem, type BrandingProblem } from './branding/problem.ts';
import { readBuiltIn } from './built-in.ts';
import { createFollower, type Follower } from './follow.ts';
import { chooseLanguage, LANGUAGES, type Translator } from './locale.ts';
import { createLook, type Look } from './look.ts';
import { originOf, type Origin } from './origin.ts';
import type { SessionContext } from './session.ts';
import type { StaticFile } from './static.ts';
import { createUploadPlaces, type UploadPlaces } from './upload-places.ts';

/** What every page needs: words, templates, files, headers. Made once. */
export interface Shell {
  readonly deps: InteractiveDeps;
  readonly origin: Origin;
  readonly sessions: SessionContext;
  /** A file that pages load, by its URL; those of the branding before are found too, for pages that are still open. */
  fileAt(url: string): StaticFile | undefined;
  /** What is wrong with the branding. */
  readonly problems: readonly BrandingProblem[];
  /** Puts another branding on: the next page that is drawn has it. */
  wear(branding: Branding): void;
  /** Tells open pages about changes. */
  readonly follower: Follower;
  readonly uploadPlaces: UploadPlaces;
  /** Origins to which a wallet may want its customer back, beside its proven domain. */
  readonly returnOrigins: readonly string[];
  /** The words for the first wanted language that we speak, else for one that the browser asks for. */
  speak(ctx: Pick<Context, 'get'>, ...wanted: readonly (string | null | undefined)[]): Translator;
  /** Answers with a page of `templates/`. */
  show(ctx: Context, translator: Translator, page: Page): void;
  /** Answers with a part of a page, for scripts of ours. */
  showPart(ctx: Context, translator: Translator, page: Page): void;
  /** The headers of every answer of the pages, errors too. */
  protect(ctx: Context): void;
}

export interface Page {
  readonly template: string;
  readonly view: Readonly<Record<string, unknown>>;
  readonly status?: number;
}

/** What nobody's page needs is switched off for ours; the clipboard is for the buttons that copy. */
const PERMISSIONS = [
  'accelerometer=()',
  'camera=()',
  'clipboard-write=(self)',
  'display-capture=()',
  'geolocation=()',
  'gyroscope=()',
  'microphone=()',
  'payment=()',
  'usb=()',
].join(', ');

/** Nothing on these is worth money, which a customer has to know. */
const TEST_NETWORKS: ReadonlySet<string> = new Set(['testnet', 'local']);

export function createShell(deps: InteractiveDeps): Shell {
  const anchor = deps.anchor;
  const origin = originOf(anchor, deps);
  const builtIn = deps.builtIn ?? readBuiltIn();
  const dress = (branding: Branding): Look =>
    createLook(builtIn, branding, (problem) =>
      deps.log.error(
        { problem: formatProblem(problem) },
        'a page was drawn without the branding’s templates',
      ),
    );
  let look = dress(deps.branding ?? NO_BRANDING);
  let before = look;
  const { keys, clock, random } = deps;
  const speak: Shell['speak'] = (ctx, ...wanted) => {
    const language = chooseLanguage(...wanted, ...acceptedLanguages(ctx.get('Accept-Language')));
    const translator = look.translators.get(language) ?? look.translators.get(LANGUAGES[0]);
    if (!translator) throw new TypeError('no language is loaded');
    return translator;
  };
  return {
    deps,
    origin,
    sessions: { keys, clock, random, origin, isFramed: anchor.server.frameAncestors.length > 0 },
    follower: createFollower(deps),
    uploadPlaces: createUploadPlaces(),
    returnOrigins: [...anchor.server.frameAncestors, ...(deps.callbacks?.origins ?? [])],
    fileAt: (url) => look.files.find(url) ?? before.files.find(url) ?? look.files.findByName(url),
    get problems() {
      return look.problems;
    },
    wear(branding) {
      [before, look] = [look, dress(branding)];
    },
    speak,
    show: (ctx, translator, page) =>
      write(ctx, look, translator, { ...page, view: { ...headOf(look, anchor), ...page.view } }),
    showPart: (ctx, translator, page) => write(ctx, look, translator, page),
    protect: (ctx) => protect(ctx, deps.anchor, deps),
  };
}

/** What every page shows around its content. */
function headOf({ logo, hasTheme }: Look, { organization, network }: Anchor): Page['view'] {
  return {
    organization: { ...organization, logo: logo.url ?? organization.logo },
    logo_dark: logo.darkUrl,
    has_theme: hasTheme,
    is_test: TEST_NETWORKS.has(network.name),
  };
}

function write(ctx: Context, { renderer }: Look, translator: Translator, page: Page): void {
  const html = renderer.render(translator, page.template, page.view);
  ctx.status = page.status ?? 200;
  ctx.type = 'text/html; charset=utf-8';
  ctx.set('Content-Language', translator.lang);
  ctx.body = html;
}

function protect(
  ctx: Context,
  { organization, server }: Anchor,
  { formActions = [] }: InteractiveDeps,
): void {
  const logo = organization.logo === undefined ? null : URL.parse(organization.logo);
  setPageSecurity(ctx, {
    frameAncestors: server.frameAncestors,
    formAction: formActions,
    images: logo ? [logo.origin] : [],
  });
  ctx.set('Permissions-Policy', PERMISSIONS);
  ctx.set('X-Robots-Tag', 'noindex, nofollow');
  ctx.vary('Accept-Language');
}

/** Tags of an Accept-Language header, best first (RFC 9110, 12.5.4); at most eight are looked at. */
function acceptedLanguages(header: string): readonly string[] {
  return header
    .slice(0, 500)
    .split(',', 8)
    .map((part) => {
      const [tag = '', quality] = part.trim().split(/\s*;\s*q=/);
      return { tag, quality: quality === undefined ? 1 : Number(quality) || 0 };
    })
    .filter(({ quality }) => quality > 0)
    .sort((one, other) => other.quality - one.quality)
    .map(({ tag }) => tag);
}
