/** A page as a browser got it. */
export interface Shown {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** The path and query at which the redirects ended. */
  readonly url: string;
}

export interface Visit {
  readonly headers?: Record<string, string>;
  /** Follow redirects within the site; default true. */
  readonly follow?: boolean;
  readonly method?: string;
}

const MAX_REDIRECTS = 5;

/** A browser without scripts: keeps cookies, follows redirects, fills in forms. It believes to be on `origin`. */
export class Browser {
  readonly #server: string;
  readonly #origin: string;
  readonly cookies = new Map<string, string>();

  constructor(server: string, origin: string) {
    this.#server = server;
    this.#origin = origin;
  }

  open(url: string, visit: Visit = {}): Promise<Shown> {
    return this.#load(url, { method: visit.method ?? 'GET' }, visit);
  }

  /** Sends a form as it stands on the page, with these fields changed (undefined: left out). */
  async submit(
    page: Shown,
    fields: Record<string, string | undefined> = {},
    visit: Visit = {},
  ): Promise<Shown> {
    const body = new URLSearchParams(hiddenOf(page.body));
    for (const [name, value] of Object.entries(fields)) {
      body.delete(name);
      if (value !== undefined) body.set(name, value);
    }
    return await this.post(attributeOf(page.body, 'form', 'action'), body, visit);
  }

  async post(url: string, body: URLSearchParams, visit: Visit = {}): Promise<Shown> {
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      Origin: this.#origin,
      ...visit.headers,
    };
    return await this.#load(url, { method: 'POST', body: body.toString() }, { ...visit, headers });
  }

  /** Sends bytes of another encoding, such as a form with a file. */
  async postBytes(url: string, body: Buffer, contentType: string): Promise<Shown> {
    const headers = { 'Content-Type': contentType, Origin: this.#origin };
    return await this.#load(url, { method: 'POST', body: new Uint8Array(body) }, { headers });
  }

  async #load(url: string, init: RequestInit, { headers = {}, follow = true }: Visit): Promise<Shown> {
    let next = new URL(url, this.#origin);
    let request: RequestInit = { ...init, headers };
    for (let hop = 0; ; hop++) {
      const response = await this.#once(next, request);
      const location = response.headers.get('location');
      const target = location === null ? undefined : new URL(location, next);
      const isOver = !follow || target?.origin !== this.#origin || hop === MAX_REDIRECTS;
      if (target === undefined || isOver) {
        const { status } = response;
        return {
          status,
          headers: response.headers,
          body: await response.text(),
          url: next.pathname + next.search,
        };
      }
      next = target;
      request = { method: 'GET' };
    }
  }

  async #once(url: URL, init: RequestInit): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      Accept: 'text/html',
      ...(cookie !== '' && { Cookie: cookie }),
      ...(init.headers as Record<string, string> | undefined),
    };
    const response = await fetch(this.#server + url.pathname + url.search, {
      ...init,
      headers,
      redirect: 'manual',
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name = '', value = ''] = pair.split('=');
      this.cookies.set(name, value);
    }
    return response;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  '#34': '"',
  '#39': "'",
  quot: '"',
};

export function unescapeHtml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#34|#39);/g, (_, name: string) => ENTITIES[name] ?? '');
}

/** The value of an attribute of the first element with this tag that has it. */
export function attributeOf(html: string, tag: string, name: string): string {
  return unescapeHtml(new RegExp(`<${tag}(?=\\s)[^>]*?\\s${name}="([^"]*)"`).exec(html)?.[1] ?? '');
}

function hiddenOf(html: string): [string, string][] {
  return [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(
    ([, name, value]) => [unescapeHtml(name ?? ''), unescapeHtml(value ?? '')],
  );
}

/** What a person reads: no tags, blanks collapsed. */
export function textOf(html: string): string {
  const body = html.slice(html.indexOf('<main'));
  return unescapeHtml(body.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ');
}

/**
 * The markup of a page without its texts: every tag with the names of its attributes, in order. Two pages that differ in
 * their data only have the same; whatever data breaks out of its place shows.
 */
export function skeletonOf(html: string): readonly string[] {
  return html
    .split('<')
    .slice(1)
    .map((part) => part.replace(/="[^"]*"/g, '').replace(/>[^>]*$/, '>'));
}
