import { NetworkChanged } from './errors.ts';
import { readRoot } from './read-network.ts';
import { read } from './requests.ts';
import type { Connections } from './requests.ts';
import type { Horizon, LedgerRoot, RequestOptions, UrlHealth } from './types.ts';

/** With several URLs their roots are compared this often, beside the calls. */
const COMPARE_EVERY_MS = 15_000;
const COMPARE_DEADLINE_MS = 5_000;

export interface Networks {
  root: Horizon['root'];
  checkUrls: Horizon['checkUrls'];
  /** Starts a comparison of the URLs beside the calls, now and then. */
  compareIfDue(): void;
}

/** Which network the URLs serve, and how far each has come: by their root resources. */
export function createNetworks(connections: Connections, passphrase: string): Networks {
  const { clock, pool } = connections;
  let comparedAtMs = clock.monotonic();

  const root = async (options?: RequestOptions): Promise<LedgerRoot> => {
    // Also one that was found to serve another network: this is how it comes back.
    const asked = { operation: 'root', path: '/', anyNetwork: options?.pin !== undefined };
    const { body, url } = await read(connections, asked, options);
    const answer = readRoot(body);
    const isOurs = answer.networkPassphrase === passphrase;
    pool.setWrongNetwork(url, !isOurs);
    if (!isOurs) {
      throw new NetworkChanged(`${url} serves "${answer.networkPassphrase}", not "${passphrase}".`);
    }
    pool.sawLedger(url, answer.historyLatestLedger);
    return answer;
  };

  const checkUrls = async (options: RequestOptions = {}): Promise<UrlHealth[]> => {
    const seen = new Map<string, number>();
    const ask = async (url: string): Promise<void> => {
      // Its failure is in the pool already, and in what we return.
      const answer = await root({ ...options, pin: url }).catch(() => undefined);
      if (answer) seen.set(url, answer.historyLatestLedger);
    };
    await Promise.all(pool.health().map(({ url }) => ask(url)));
    options.signal?.throwIfAborted();
    pool.compare(seen);
    return pool.health();
  };

  return {
    root,
    checkUrls,
    compareIfDue: () => {
      if (clock.monotonic() - comparedAtMs < COMPARE_EVERY_MS || pool.health().length < 2) return;
      comparedAtMs = clock.monotonic();
      // Never in the way of the call that was due: a hanging URL would stop it. It cannot reject.
      void checkUrls({ deadlineMs: COMPARE_DEADLINE_MS });
    },
  };
}
