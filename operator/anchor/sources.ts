import { isRecord } from '../../core/spec/guards.ts';
import { childName } from '../resources/names.ts';
import type { AnchorObject } from './anchor-object.ts';

const REFERENCES = new Set(['secretRef', 'secretKeyRef', 'configMapRef', 'configMapKeyRef']);
const GENERATED = ['session', 'integrationKey', 'database', 'certificate'] as const;

/** Secrets and ConfigMaps whose change is of interest to an Anchor, as `namespace/name`: an index of the cache. */
export function sourcesOf({ metadata, spec }: AnchorObject): string[] {
  const names = new Set(GENERATED.map((role) => childName(metadata.name, role)));
  collect(spec, names);
  return [...names].map((name) => `${metadata.namespace ?? ''}/${name}`);
}

function collect(value: unknown, names: Set<string>): void {
  if (Array.isArray(value)) for (const entry of value as unknown[]) collect(entry, names);
  if (!isRecord(value)) return;
  for (const [key, part] of Object.entries(value)) {
    if (key === 'secretName' && typeof part === 'string') names.add(part);
    else if (REFERENCES.has(key) && isRecord(part) && typeof part['name'] === 'string')
      names.add(part['name']);
    else collect(part, names);
  }
}
