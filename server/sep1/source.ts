import { createHash } from 'node:crypto';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { generateToml } from './generate.ts';
import type { TomlTable } from './generate.ts';
import { mergeToml, parseToml, renderToml } from './merge.ts';

/** What the integration's `toml` hook answers: TOML text, or the same as JSON. */
export type TomlAddition = { readonly toml: string } | { readonly document: TomlTable };

export interface StellarTomlOptions {
  readonly anchor: Anchor;
  /** Asks the integration. Absent, or answering undefined: it has no such hook. */
  readonly hook?: () => Promise<TomlAddition | undefined>;
  /** How old the hook's answer may get. Default 60,000. */
  readonly ttlMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The text as it is served, with its strong validator (RFC 9110, 8.8.3), quotes included. */
export interface ServedToml {
  readonly text: string;
  readonly etag: string;
}

/** The anchor's stellar.toml, kept ready: no request waits for the integration. */
export interface StellarToml {
  /** What to serve now. When the hook's answer is too old, a new one is asked for in the background. */
  current(): ServedToml;
  /** Asks the hook now. Never rejects: a hook that fails leaves the last good text, and the log says why. */
  refresh(): Promise<void>;
  /** Takes over a changed spec. @throws TomlUnusable and keeps the text it has */
  setAnchor(anchor: Anchor): void;
}

const serve = (text: string): ServedToml => ({
  text,
  etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`,
});

const tableOf = (addition: TomlAddition): TomlTable =>
  'toml' in addition ? parseToml(addition.toml) : addition.document;

/** Generated from the spec, then the spec's own `toml`, then the hook's answer: the later wins where it may. */
function build(anchor: Anchor, addition: TomlTable | undefined, log: Log): ServedToml {
  let table = generateToml(anchor);
  const additions = [anchor.toml === undefined ? undefined : parseToml(anchor.toml), addition];
  for (const each of additions) {
    if (each === undefined) continue;
    const merged = mergeToml(table, each);
    if (merged.refused.length > 0)
      log.warn({ keys: merged.refused }, 'stellar.toml: these keys cannot be overridden');
    table = merged.table;
  }
  return serve(renderToml(table));
}

/** Builds the stellar.toml of an anchor and keeps it up to date. @throws TomlUnusable for the spec's own `toml` */
export function createStellarToml(options: StellarTomlOptions): StellarToml {
  const { clock, log, hook, ttlMs = 60_000 } = options;
  let { anchor } = options;
  let addition: TomlTable | undefined;
  let served = build(anchor, addition, log);
  let askedAt = -Infinity;
  let asking: Promise<void> | undefined;

  const ask = async (): Promise<void> => {
    askedAt = clock.monotonic();
    try {
      const answer = await hook?.();
      const next = answer === undefined ? undefined : tableOf(answer);
      served = build(anchor, next, log);
      addition = next;
    } catch (error) {
      log.error({ err: error }, 'the toml hook gave nothing usable; serving the last good stellar.toml');
    } finally {
      asking = undefined;
    }
  };
  const refresh = (): Promise<void> => {
    asking ??= ask();
    return asking;
  };
  return {
    refresh,
    current() {
      if (hook !== undefined && clock.monotonic() - askedAt >= ttlMs) void refresh();
      return served;
    },
    setAnchor(changed) {
      served = build(changed, addition, log);
      anchor = changed;
    },
  };
}
