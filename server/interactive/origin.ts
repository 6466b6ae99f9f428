import { CapstanError } from '../../core/runtime/errors.ts';
import type { Anchor } from '../../core/spec/anchor.ts';

/** Where the customer's pages live. */
export const PATHS = {
  interactive: '/sep24/interactive',
  fee: '/sep24/interactive/fee',
  completed: '/sep24/interactive/completed',
  moreInfo: '/sep24/more_info',
  status: '/sep24/more_info/status',
  events: '/sep24/more_info/events',
  assets: '/sep24/assets',
} as const;

export class InsecureOrigin extends CapstanError {
  constructor(host: string) {
    super(
      'insecure_origin',
      `Pages cannot be served by plain HTTP on ${host}: only a loopback host (localhost, 127.0.0.1) may do without TLS.`,
    );
  }
}

/** The origin of our own pages, as browsers name it. */
export interface Origin {
  /** `https://anchor.example`, without a trailing slash. */
  readonly url: string;
  /** False only on loopback in development: cookies then lack `Secure` and the `__Host-` prefix. */
  readonly isSecure: boolean;
}

const LOOPBACK = /^(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/** Whether a host (with or without a port) can only be this machine. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK.test(host);
}

/**
 * @param options.insecureLoopback for development without TLS
 * @throws {InsecureOrigin} when that is asked for any other host than loopback
 */
export function originOf(
  anchor: Pick<Anchor, 'host'>,
  options: { readonly insecureLoopback?: boolean } = {},
): Origin {
  if (options.insecureLoopback !== true) return { url: `https://${anchor.host}`, isSecure: true };
  if (!isLoopbackHost(anchor.host)) throw new InsecureOrigin(anchor.host);
  return { url: `http://${anchor.host}`, isSecure: false };
}

/** An absolute URL of one of our pages. */
export function urlOf(origin: Origin, path: string, query: Readonly<Record<string, string>>): string {
  const url = new URL(path, origin.url);
  url.search = new URLSearchParams(query).toString();
  return url.href;
}
