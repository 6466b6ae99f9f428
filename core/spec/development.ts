import { isRecord } from './guards.ts';
import type { ParsedManifest } from './manifest.ts';
import { KIND } from './schema/anchor.ts';
import type { SecretRef } from './secrets.ts';

/** The Secret under which `capstan dev` offers the seeds that it made itself. */
export const DEVELOPMENT_SECRET = 'capstan-dev-keys';
const SIGNING_REF: SecretRef = { name: DEVELOPMENT_SECRET, key: 'signing' };

/** Secret and key of the generated distribution seed for an asset code. */
export function developmentSeedRef(code: string): SecretRef {
  return { name: DEVELOPMENT_SECRET, key: `distribution-${code}` };
}

/** Public keys (G…) that stand in for those left out of a manifest; issuer and distribution by asset code. */
export interface DevelopmentKeys {
  readonly signing: string;
  readonly issuers: ReadonlyMap<string, string>;
  readonly distributions: ReadonlyMap<string, string>;
}

/** Which keys the Anchors of a manifest leave out and may leave out: asset codes, each once. */
export interface DevelopmentNeeds {
  readonly signing: boolean;
  readonly issuers: readonly string[];
  readonly distributions: readonly string[];
}

/** What `capstan dev` has to generate before it can complete a manifest. */
export function developmentNeeds(parsed: ParsedManifest): DevelopmentNeeds {
  const specs = parsed.documents
    .map(({ value }) => developmentSpec(value))
    .filter((spec) => spec !== undefined);
  const assets = specs.flatMap(assetsOf).filter(isRecord);
  const codesWhere = (lacks: (asset: Fields) => boolean): readonly string[] => [
    ...new Set(assets.filter(lacks).flatMap(({ code }) => (typeof code === 'string' ? [code] : []))),
  ];
  return {
    signing: specs.some(({ signingKey }) => signingKey === undefined),
    issuers: codesWhere(({ code, issuer }) => issuer === undefined && code !== 'native'),
    distributions: codesWhere(({ distribution }) => distribution === undefined),
  };
}

/**
 * Fills in `signingKey` and each asset's `issuer` and `distribution` where an Anchor of the local network or testnet
 * leaves them out, so that a manifest for development can be committed without keys. Anything else, an Anchor of
 * another network included, stays as it is and meets the strict schema. Lines keep their numbers.
 */
export function completeForDevelopment(parsed: ParsedManifest, keys: DevelopmentKeys): ParsedManifest {
  const documents = parsed.documents.map((document) => {
    const spec = developmentSpec(document.value);
    if (!spec || !isRecord(document.value)) return document;
    return { ...document, value: { ...document.value, spec: completeSpec(spec, keys) } };
  });
  return { ...parsed, documents };
}

type Fields = Readonly<Record<string, unknown>>;

/** The spec of an Anchor that may leave keys out. */
function developmentSpec(value: unknown): Fields | undefined {
  if (!isRecord(value) || value['kind'] !== KIND) return undefined;
  const { spec } = value;
  if (!isRecord(spec) || !isRecord(spec['network'])) return undefined;
  const { name } = spec['network'];
  return name === 'local' || name === 'testnet' ? spec : undefined;
}

const assetsOf = (spec: Fields): readonly unknown[] => (Array.isArray(spec['assets']) ? spec['assets'] : []);

function completeSpec(spec: Fields, keys: DevelopmentKeys): Fields {
  return {
    ...spec,
    signingKey:
      spec['signingKey'] === undefined
        ? { account: keys.signing, secretRef: SIGNING_REF }
        : spec['signingKey'],
    ...(Array.isArray(spec['assets']) && {
      assets: assetsOf(spec).map((asset) => (isRecord(asset) ? completeAsset(asset, keys) : asset)),
    }),
  };
}

function completeAsset(asset: Fields, keys: DevelopmentKeys): Fields {
  const { code } = asset;
  if (typeof code !== 'string') return asset;
  const issuer = code === 'native' ? undefined : keys.issuers.get(code);
  const account = keys.distributions.get(code);
  return {
    ...(issuer !== undefined && { issuer }),
    ...(account !== undefined && { distribution: { account, secretRef: developmentSeedRef(code) } }),
    ...asset,
  };
}
