import { isIP } from 'node:net';
import { CapstanError } from '../runtime/errors.ts';
import { isLoopbackAddress, isPublicAddress } from './addresses.ts';

const HTTPS_PORT = 443;
const MAX_URL_CHARACTERS = 2048;

/**
 * A stranger's URL was not fetched. Codes: `invalid_url`, `destination_forbidden`, `redirect_refused`,
 * `response_too_large`, `deadline_exceeded`, `unreachable`. The message says nothing about our own network.
 */
export class PublicFetchError extends CapstanError {}

/** What a stranger's URL may lead to; with no options: port 443 of public addresses, by HTTPS. */
export interface DestinationPolicy {
  /** Ports besides which none is called. Default [443]. */
  readonly ports?: readonly number[];
  /** For development: hosts (`wallet.test`) or hosts with a port (`localhost:3000`) whose address and port are not checked. */
  readonly allowPrivate?: readonly string[];
  /** For development: plain http to hosts of `allowPrivate`, while they resolve to this machine. */
  readonly allowLoopbackHttp?: boolean;
}

/** A URL that the policy admits so far, and the check that each address behind it has still to pass. */
export interface Destination {
  readonly url: URL;
  readonly admits: (address: string) => boolean;
}

/**
 * Checks everything about a URL that can be known before its host is looked up.
 * @throws {PublicFetchError} `invalid_url` or `destination_forbidden`
 */
export function admitUrl(text: string, policy: DestinationPolicy): Destination {
  const url = text.length <= MAX_URL_CHARACTERS ? URL.parse(text) : null;
  if (!url?.hostname) throw new PublicFetchError('invalid_url', 'The URL cannot be read.');
  if (url.username || url.password) throw forbidden('it carries credentials');
  const isPrivateAllowed = policy.allowPrivate?.some((host) => host === url.hostname || host === url.host);
  const admits = admission(url, isPrivateAllowed ?? false, policy);
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0 && !admits(literal)) throw forbidden('its address is not public');
  return { url, admits };
}

function admission(url: URL, isPrivateAllowed: boolean, policy: DestinationPolicy): Destination['admits'] {
  if (url.protocol === 'http:' && isPrivateAllowed && policy.allowLoopbackHttp) return isLoopbackAddress;
  if (url.protocol !== 'https:') throw forbidden('it is not https');
  if (isPrivateAllowed) return () => true;
  const port = url.port === '' ? HTTPS_PORT : Number(url.port);
  if (!(policy.ports ?? [HTTPS_PORT]).includes(port)) throw forbidden(`port ${port} is not called`);
  return isPublicAddress;
}

export function forbidden(why: string): PublicFetchError {
  return new PublicFetchError('destination_forbidden', `The URL is not fetched: ${why}.`);
}
