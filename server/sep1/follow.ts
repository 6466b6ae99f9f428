import { isDeepStrictEqual } from 'node:util';
import type { Anchor, Asset } from '../../core/spec/anchor.ts';

/** What stellar.toml may take over, or the parts of the spec that changed and that this process holds since its start. */
export type Followed = { readonly anchor: Anchor } | { readonly restartNeededFor: readonly (keyof Anchor)[] };

/** What no other route depends on: words about the anchor and its assets. */
const withoutWords = ({
  organization: _organization,
  toml: _toml,
  assets,
  ...held
}: Anchor): Partial<Anchor> => ({
  ...held,
  assets: assets.map(({ name: _name, description: _description, ...asset }): Asset => asset),
});

/**
 * What stellar.toml may show of a changed spec while the other routes of the process go on with the old one: a signing
 * key, host or asset that it alone took over would be one that sign-ins and deposits do not know. So it follows
 * `organization`, `toml` and the assets' names and descriptions, and only when nothing else has changed.
 */
export function followAnchor(running: Anchor, changed: Anchor): Followed {
  const old: Readonly<Record<string, unknown>> = withoutWords(running);
  const now: Readonly<Record<string, unknown>> = withoutWords(changed);
  const keys = Object.keys({ ...running, ...changed }) as (keyof Anchor)[];
  const restartNeededFor = keys.filter((key) => !isDeepStrictEqual(old[key], now[key]));
  return restartNeededFor.length > 0 ? { restartNeededFor } : { anchor: changed };
}
