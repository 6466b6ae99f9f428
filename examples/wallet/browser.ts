import { CookieJar } from './cookies.ts';
import { fillIn } from './customer.ts';
import { describeError, PageFailed } from './errors.ts';
import { complaintOf, readForms, textOf } from './html-form.ts';

export interface Page {
  /** Where the browser ended after redirects. */
  readonly url: string;
  readonly status: number;
  readonly html: string;
}

export interface FillOptions {
  /** Decimal text, as the customer types it. */
  readonly amount: string;
  readonly fetch: typeof globalThis.fetch;
  readonly onPage?: (page: { readonly url: string; readonly title: string }) => void;
}

const MAX_REDIRECTS = 10;
const MAX_PAGES = 20;
const MAX_PAGE_BYTES = 2_000_000;
const DEADLINE_MS = 30_000;
/** What a browser on a phone sends; pages may choose by it. */
const HEADERS = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'accept-language': 'en' };

/**
 * Opens the interactive URL and fills in form after form like a customer in a browser (cookies, redirects, hidden fields),
 * until a page asks for nothing more.
 * @returns that last page
 * @throws {PageFailed} for a page that is no HTML, an error, a refused form, or forms without end
 */
export async function walkThrough(url: string, options: FillOptions): Promise<Page> {
  const browser = createBrowser(options.fetch);
  let page = await browser.open(url);
  for (let count = 0; count < MAX_PAGES; count += 1) {
    const form = readForms(page.html, page.url).find(({ method }) => method === 'post');
    if (page.status >= 400)
      throw new PageFailed(
        'a page without an error',
        `${page.status} from ${pathOf(page)}: ${complaintOf(page.html)}`,
      );
    options.onPage?.({ url: page.url, title: titleOf(page.html) });
    if (!form) return page;
    page = await browser.open(form.action, { body: fillIn(form, options.amount), from: page.url });
  }
  throw new PageFailed(`an end after at most ${MAX_PAGES} pages`, `one more form at ${pathOf(page)}`);
}

interface Submission {
  readonly body: URLSearchParams;
  /** The page that holds the form. */
  readonly from: string;
}

/** A browser without a screen: it keeps cookies and follows redirects, turning POST into GET as all browsers do. */
export function createBrowser(fetch: typeof globalThis.fetch): {
  open(url: string, submission?: Submission): Promise<Page>;
} {
  const jar = new CookieJar();
  const request = async (url: string, submission: Submission | undefined): Promise<Response> => {
    const cookie = jar.headerFor(url);
    const answer = await fetch(url, {
      method: submission ? 'POST' : 'GET',
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
      headers: {
        ...HEADERS,
        ...(cookie !== undefined && { cookie }),
        ...(submission && { origin: new URL(submission.from).origin, referer: submission.from }),
      },
      ...(submission && { body: submission.body }),
    });
    jar.store(url, answer.headers);
    return answer;
  };
  return {
    async open(url, submission) {
      let [target, sent] = [url, submission];
      for (let count = 0; count <= MAX_REDIRECTS; count += 1) {
        const answer = await reach(() => request(target, sent), target);
        const location = answer.headers.get('location');
        if (answer.status < 300 || answer.status > 399 || location === null)
          return await readPage(answer, target);
        await answer.body?.cancel();
        target = new URL(location, target).href;
        if (answer.status !== 307 && answer.status !== 308) sent = undefined;
      }
      throw new PageFailed(`at most ${MAX_REDIRECTS} redirects`, `more, the last one to ${target}`);
    },
  };
}

async function reach(send: () => Promise<Response>, url: string): Promise<Response> {
  try {
    return await send();
  } catch (error) {
    throw new PageFailed(`an answer from ${new URL(url).origin}`, describeError(error));
  }
}

async function readPage(answer: Response, url: string): Promise<Page> {
  const type = answer.headers.get('content-type') ?? '';
  const html = await answer.text();
  if (html.length > MAX_PAGE_BYTES)
    throw new PageFailed(`a page below ${MAX_PAGE_BYTES} bytes`, `${html.length}`);
  if (!/^text\/html\b/i.test(type)) {
    throw new PageFailed(
      'text/html',
      `${type || 'no content type'} (${answer.status}): ${textOf(html).slice(0, 200)}`,
    );
  }
  return { url, status: answer.status, html };
}

const titleOf = (html: string): string => textOf(/<title[^>]*>([\s\S]*?)<\/title>/i.exec(html)?.[1] ?? '');
const pathOf = ({ url }: Page): string => new URL(url).pathname;
