import { readManifest, soleAnchor } from '../../core/spec/manifest.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { resolveAnchor } from '../../core/spec/resolve.ts';
import { testAnchor, yamlOf } from '../../core/spec/test-manifest.ts';
import type { Loose } from '../../core/spec/test-manifest.ts';

/** A real Anchor, read from a manifest that a test may bend first. */
export function anchorOf(bend: (spec: Loose) => void = () => {}): Anchor {
  const manifest = testAnchor() as { readonly spec: Loose };
  bend(manifest.spec);
  return resolveAnchor(soleAnchor(readManifest(yamlOf(manifest), 'anchor.yaml'), 'anchor.yaml'));
}
