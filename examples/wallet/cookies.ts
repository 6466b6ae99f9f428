interface Cookie {
  readonly value: string;
  readonly path: string;
  readonly isSecure: boolean;
}

/** A browser's cookies of one visit: host-only, by path and scheme (RFC 6265). Lifetimes beyond "delete it" do not matter here. */
export class CookieJar {
  readonly #byHost = new Map<string, Map<string, Cookie>>();

  /** Takes what an answer from `url` sets. Cookies for a parent domain are dropped: no anchor needs them. */
  store(url: string, headers: Headers): void {
    const { hostname, protocol, pathname } = new URL(url);
    const cookies = this.#byHost.get(hostname) ?? new Map<string, Cookie>();
    this.#byHost.set(hostname, cookies);
    for (const line of headers.getSetCookie()) {
      const { name, value, attributes } = parse(line);
      const isSecure = attributes.has('secure');
      const path = attributes.get('path') || pathname.replace(/\/[^/]*$/, '') || '/';
      if (name === '' || (isSecure && protocol !== 'https:')) continue;
      if (
        isForeign(attributes.get('domain'), hostname) ||
        isFalseHostCookie(name, isSecure, path, attributes)
      )
        continue;
      if (attributes.get('max-age') === '0') cookies.delete(name);
      else cookies.set(name, { value, path, isSecure });
    }
  }

  /** The Cookie header for a request to `url`, or undefined. */
  headerFor(url: string): string | undefined {
    const { hostname, protocol, pathname } = new URL(url);
    const sent = [...(this.#byHost.get(hostname) ?? [])].filter(
      ([, { path, isSecure }]) => (!isSecure || protocol === 'https:') && isBelow(pathname, path),
    );
    return sent.length === 0 ? undefined : sent.map(([name, { value }]) => `${name}=${value}`).join('; ');
  }
}

type Attributes = ReadonlyMap<string, string>;

function parse(line: string): { name: string; value: string; attributes: Attributes } {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
  const at = Math.max(pair.indexOf('='), 0);
  const attributes = rest.map((part) => {
    const [name = '', value = ''] = part.split(/=(.*)/s);
    return [name.toLowerCase(), value] as const;
  });
  return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes: new Map(attributes) };
}

/** A browser drops a __Host- cookie that is not bound to the host, and so must whoever tests pages. */
function isFalseHostCookie(name: string, isSecure: boolean, path: string, attributes: Attributes): boolean {
  return name.startsWith('__Host-') && (!isSecure || path !== '/' || attributes.has('domain'));
}

const isForeign = (domain: string | undefined, host: string): boolean =>
  domain !== undefined && domain.replace(/^\./, '') !== host;

const isBelow = (pathname: string, path: string): boolean =>
  pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
