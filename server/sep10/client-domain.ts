import { parse } from 'smol-toml';
import { LoadingCache } from '../../core/http/cache.ts';
import type { PublicFetch } from '../../core/http/public-fetch.ts';
import { isAccount } from '../../core/keys/strkey.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { ClientDomain } from './challenge.ts';
import { Sep10Error, Sep10Unavailable } from './errors.ts';

/** SEP-1 allows a stellar.toml of 100 KB. */
const MAX_TOML_BYTES = 100 * 1024;
const DEADLINE_MS = 3000;
const CACHE_TTL_MS = 5 * 60_000;
const FAILURE_TTL_MS = 10_000;
const CACHE_ENTRIES = 1000;
/** Strangers name these hosts: so many look-ups at once and no more. */
const MAX_CONCURRENT = 32;
const BUSY_RETRY_MS = 1000;

/** A host name, perhaps with a port, that fits the 64 bytes of the operation which will carry it. */
const DOMAIN = /^(?=.{1,64}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$/;

export interface ClientDomainOptions {
  readonly fetch: PublicFetch;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Our own SIGNING_KEY, which no client domain may have. */
  readonly serverAccount: string;
}

/** Finds the SIGNING_KEY of a wallet's domain in its stellar.toml (SEP-10, "Verifying the Client Domain"). */
export class ClientDomains {
  readonly #options: ClientDomainOptions;
  readonly #accounts: LoadingCache<string>;
  #running = 0;

  constructor(options: ClientDomainOptions) {
    this.#options = options;
    this.#accounts = new LoadingCache({
      clock: options.clock,
      ttlMs: CACHE_TTL_MS,
      failureTtlMs: FAILURE_TTL_MS,
      maxEntries: CACHE_ENTRIES,
    });
  }

  /**
   * The domain in lower case and its SIGNING_KEY, at most five minutes old.
   * @throws {Sep10Error} `invalid_client_domain`, `client_domain_unreachable` or `client_domain_without_key`
   * @throws {Sep10Unavailable} when too many domains are looked up at the moment
   */
  async resolve(text: string): Promise<ClientDomain> {
    const domain = text.toLowerCase();
    if (!DOMAIN.test(domain)) {
      throw new Sep10Error(
        'invalid_client_domain',
        'client_domain must be a host name of at most 64 characters.',
      );
    }
    if (this.#running >= MAX_CONCURRENT && !this.#accounts.has(domain)) {
      throw new Sep10Unavailable(
        'client_domains_busy',
        'Too many client domains are looked up.',
        BUSY_RETRY_MS,
      );
    }
    return { domain, account: await this.#accounts.get(domain, () => this.#load(domain)) };
  }

  async #load(domain: string): Promise<string> {
    this.#running += 1;
    try {
      return this.#readSigningKey(await this.#fetchToml(domain));
    } finally {
      this.#running -= 1;
    }
  }

  async #fetchToml(domain: string): Promise<string> {
    const unreachable = (options?: { cause: unknown }): Sep10Error =>
      new Sep10Error('client_domain_unreachable', "client_domain's stellar.toml cannot be fetched.", options);
    const url = `https://${domain}/.well-known/stellar.toml`;
    const limits = { deadlineMs: DEADLINE_MS, maxBytes: MAX_TOML_BYTES };
    const response = await this.#options.fetch(url, limits).catch((cause: unknown) => {
      // Why is in the cause, for the log: a stranger must not learn what our resolver or our network answers.
      throw unreachable({ cause });
    });
    if (response.status !== 200) throw unreachable();
    return response.body.toString('utf8').replace(/^\uFEFF/, '');
  }

  #readSigningKey(toml: string): string {
    const signingKey = parseToml(toml)['SIGNING_KEY'];
    if (!isAccount(signingKey) || signingKey === this.#options.serverAccount) {
      throw withoutKey();
    }
    return signingKey;
  }
}

function parseToml(toml: string): Record<string, unknown> {
  try {
    return parse(toml);
  } catch (cause) {
    throw withoutKey({ cause });
  }
}

function withoutKey(options?: { cause: unknown }): Sep10Error {
  const message = "client_domain's stellar.toml has no SIGNING_KEY that can be used.";
  return new Sep10Error('client_domain_without_key', message, options);
}
