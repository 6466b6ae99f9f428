import type { Clock } from '../runtime/clock.ts';
import type { UrlHealth } from './types.ts';

/** A Horizon this many ledgers behind the best known one is used last. Two closes are ordinary skew. */
const MAX_LAG_LEDGERS = 3;
const FIRST_BACK_OFF_MS = 500;
const MAX_BACK_OFF_MS = 30_000;

interface UrlState {
  url: string;
  failures: number;
  /** Not asked before, if another one can be. */
  availableAtMs: number;
  /** Not asked before, even when it is the only one: it said so (429). */
  throttledUntilMs: number;
  latestLedger: number;
  isLagging: boolean;
  isWrongNetwork: boolean;
  lastError?: string;
}

/** What is known of each configured Horizon, and in which order they are worth asking. */
export interface UrlPool {
  /** All that may be asked: healthy ones in the configured order, then lagging ones, then failing ones by back-off. */
  candidates(pin?: string, anyNetwork?: boolean): string[];
  throttledUntilMs(url: string): number;
  succeeded(url: string): void;
  /** Records the ledger that an answer named, and compares at once. */
  sawLedger(url: string, sequence: number): void;
  failed(url: string, error: string, retryAfterMs?: number): void;
  /** Sets apart (or takes back) a Horizon of another network: it is never asked again until a root says otherwise. */
  setWrongNetwork(url: string, isWrong: boolean): void;
  /** Forgets a comparison that a round of roots is about to make anew. */
  compare(latest: ReadonlyMap<string, number>): void;
  health(): UrlHealth[];
}

export function createUrlPool(urls: readonly string[], clock: Clock): UrlPool {
  const states = urls.map((url): UrlState => ({
    url: url.replace(/\/+$/, ''),
    failures: 0,
    availableAtMs: 0,
    throttledUntilMs: 0,
    latestLedger: 0,
    isLagging: false,
    isWrongNetwork: false,
  }));
  const find = (url: string): UrlState | undefined => states.find((state) => state.url === url);
  const rank = (state: UrlState): number => {
    if (Math.max(state.availableAtMs, state.throttledUntilMs) > clock.monotonic()) return 2;
    return state.isLagging ? 1 : 0;
  };
  return {
    candidates: (pin, anyNetwork = false) =>
      states
        .filter((state) => (anyNetwork || !state.isWrongNetwork) && (pin === undefined || state.url === pin))
        .toSorted((a, b) => rank(a) - rank(b) || (rank(a) === 2 ? a.availableAtMs - b.availableAtMs : 0))
        .map((state) => state.url),
    throttledUntilMs: (url) => find(url)?.throttledUntilMs ?? 0,
    succeeded: (url) => {
      const state = find(url);
      if (!state) return;
      state.failures = 0;
      state.availableAtMs = 0;
    },
    sawLedger: (url, sequence) => {
      const state = find(url);
      if (!state) return;
      state.latestLedger = Math.max(state.latestLedger, sequence);
      const best = Math.max(...states.map((other) => other.latestLedger));
      if (sequence < best - MAX_LAG_LEDGERS) state.isLagging = true;
      else if (sequence >= best) state.isLagging = false;
    },
    failed: (url, error, retryAfterMs) => {
      const state = find(url);
      if (!state) return;
      state.failures += 1;
      state.lastError = error;
      const backOffMs = Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (state.failures - 1));
      state.availableAtMs = clock.monotonic() + backOffMs;
      if (retryAfterMs !== undefined) state.throttledUntilMs = clock.monotonic() + retryAfterMs;
    },
    setWrongNetwork: (url, isWrong) => {
      const state = find(url);
      if (state) state.isWrongNetwork = isWrong;
    },
    compare: (latest) => {
      const best = Math.max(0, ...latest.values());
      for (const state of states) {
        const sequence = latest.get(state.url);
        if (sequence === undefined) continue;
        state.latestLedger = sequence;
        state.isLagging = sequence < best - MAX_LAG_LEDGERS;
      }
    },
    health: () => states.map((state) => healthOf(state, clock.monotonic())),
  };
}

function healthOf(state: UrlState, now: number): UrlHealth {
  return {
    url: state.url,
    state: stateName(state, now),
    latestLedger: state.latestLedger,
    failures: state.failures,
    ...(state.lastError === undefined ? {} : { lastError: state.lastError }),
  };
}

function stateName(state: UrlState, now: number): UrlHealth['state'] {
  if (state.isWrongNetwork) return 'wrong_network';
  if (state.failures > 0 || state.throttledUntilMs > now) return 'failing';
  return state.isLagging ? 'lagging' : 'healthy';
}
