import { createHash } from 'node:crypto';
import { encodeAccount } from '../../../core/keys/strkey.ts';
import type { Anchor } from '../../../core/spec/anchor.ts';
import { readManifest, soleAnchor } from '../../../core/spec/manifest.ts';
import { resolveAnchor } from '../../../core/spec/resolve.ts';

/** A public key that nobody has the seed of: for pages that are only looked at. */
export const sampleAccount = (name: string): string =>
  encodeAccount(createHash('sha256').update(`gallery ${name}`).digest());

/** An anchor that does not exist, for the gallery of somebody who has only a branding yet. */
export function sampleAnchor(): Anchor {
  const file = 'sample.yaml';
  const account = (name: string): string => JSON.stringify(sampleAccount(name));
  const manifest = `
apiVersion: capstan.dev/v1alpha1
kind: Anchor
metadata: { name: harbor }
spec:
  host: anchor.harbor.example
  network: { name: public }
  organization:
    name: Harbor
    url: https://harbor.example
    supportEmail: help@harbor.example
  signingKey: { account: ${account('signing')}, secretRef: { name: none, key: signing } }
  assets:
    - code: USDH
      issuer: ${account('issuer')}
      distribution: { account: ${account('distribution')}, secretRef: { name: none, key: usdh } }
      decimals: 2
      symbol: $
      deposit: { min: '10', max: '10000', fee: { fixed: '1', percent: '0.5' } }
      withdrawal: { min: '10', max: '10000', fee: { fixed: '1' } }
  integration: { url: https://bank.harbor.example }
  database: { secretRef: { name: none, key: url } }
`;
  return resolveAnchor(soleAnchor(readManifest(manifest, file), file));
}
