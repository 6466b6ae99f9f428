import type { Clock } from '../runtime/clock.ts';
import { declaration, isHookName, type HookName } from './contract.ts';
import { IntegrationMisbehaved } from './errors.ts';
import { describeProblem } from './issues.ts';

/** What an integration says of itself, sorted by what this Capstan can call. */
export interface KnownDeclaration {
  readonly name: string;
  readonly version: string;
  readonly hooks: readonly HookName[];
  /** Declared, but unknown here: misspelt, or of a later contract. Never called; worth a warning. */
  readonly unknownHooks: readonly string[];
}

/** @throws {IntegrationMisbehaved} */
export function readDeclaration(answer: unknown): KnownDeclaration {
  const parsed = declaration.safeParse(answer);
  if (!parsed.success) throw new IntegrationMisbehaved('GET /capstan/v1', describeProblem(parsed.error));
  const { name, version, hooks } = parsed.data;
  const distinct = [...new Set(hooks)];
  return {
    name,
    version,
    hooks: distinct.filter(isHookName),
    unknownHooks: distinct.filter((hook) => !isHookName(hook)),
  };
}

export interface DeclarationCacheOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly ttlMs: number;
  readonly load: () => Promise<KnownDeclaration>;
}

/**
 * The last declaration. While a newer one is fetched, and while the integration is away, the last one is believed: which
 * hooks exist must not flicker with an outage.
 */
export class DeclarationCache {
  readonly #options: DeclarationCacheOptions;
  #known: KnownDeclaration | undefined;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #loading: Promise<KnownDeclaration> | undefined;

  constructor(options: DeclarationCacheOptions) {
    this.#options = options;
  }

  /** Waits only if none was ever read. Rejects as `load` does, only then. */
  async get(): Promise<KnownDeclaration> {
    const { clock, ttlMs } = this.#options;
    if (this.#known && clock.monotonic() - this.#triedAtMs < ttlMs) return this.#known;
    const loading = this.#load();
    if (!this.#known) return await loading;
    loading.catch(() => {});
    return this.#known;
  }

  #load(): Promise<KnownDeclaration> {
    this.#loading ??= this.#refresh();
    return this.#loading;
  }

  async #refresh(): Promise<KnownDeclaration> {
    try {
      this.#known = await this.#options.load();
      return this.#known;
    } finally {
      this.#triedAtMs = this.#options.clock.monotonic();
      this.#loading = undefined;
    }
  }
}
