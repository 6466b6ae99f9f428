import { isRecord } from './guards.ts';
import type { Draft } from './rules/rule.ts';
import { anchorSpec } from './schema/anchor.ts';
import { asset } from './schema/assets.ts';
import type { Finding } from './validate.ts';

/**
 * The sections of a wrong spec that are right by themselves, with their defaults, so that rules between fields speak
 * up in the same run as the schema does.
 */
export function draftOf(spec: unknown, findings: readonly Finding[]): Draft {
  if (!isRecord(spec)) return {};
  const wrong = new Set(findings.map(({ path }) => path[1]));
  const entries = Object.entries(anchorSpec.shape)
    .filter(([name]) => !wrong.has(name) && name !== 'assets')
    .map(([name, schema]) => [name, schema.safeParse(spec[name])] as const)
    .filter(([name, parsed]) => parsed.success && (parsed.data !== undefined || Object.hasOwn(spec, name)))
    .map(([name, parsed]) => [name, parsed.data]);
  const assets = Array.isArray(spec['assets']) ? spec['assets'].slice(0, 32) : [];
  // Each value was parsed by the schema of its own key, which is what Draft says.
  return {
    ...(Object.fromEntries(entries) as Draft),
    assets: assets.map((one) => asset.safeParse(one).data),
  };
}
