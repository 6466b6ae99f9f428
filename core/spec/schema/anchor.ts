import * as z from 'zod';
import { assets } from './assets.ts';
import { host, keyPair, secretRef } from './common.ts';
import { database } from './database.ts';
import { branding, expose, tls } from './exposure.ts';
import { integration } from './integration.ts';
import { homeDomains, network, organization } from './network.ts';
import { payments } from './payments.ts';
import { deadlines, server, workers } from './processes.ts';

export const API_VERSION = 'capstan.dev/v1alpha1';
export const KIND = 'Anchor';

/** The `spec` of an Anchor: the one source of the CRD, the TypeScript types, the reference and the config file. */
export const anchorSpec = z.strictObject({
  host: host.describe(
    'Host under which wallets reach the anchor; stellar.toml is served there. With a port only if it is not 443.',
  ),
  homeDomains,
  webAuthDomain: host
    .exactOptional()
    .describe(
      'What SEP-10 challenges carry as web_auth_domain. The host without its port, if left out, which is what the common wallet libraries compare; some compare it with the port.',
    ),
  network,
  organization,
  toml: z
    .string()
    .max(65_536)
    .exactOptional()
    .describe(
      'TOML that is merged over the generated stellar.toml. What Capstan knows best cannot be overridden.',
    ),
  signingKey: keyPair.describe(
    'Key that signs SEP-10 challenges and callbacks (SIGNING_KEY). It needs no funds.',
  ),
  sessionKey: z
    .strictObject({
      secretRef: secretRef.describe('Secret and key that hold at least 32 random bytes as text.'),
    })
    .exactOptional()
    .describe('Key that signs the tokens of wallets and customers. Generated once, if left out.'),
  assets,
  integration,
  database,
  tls: tls.exactOptional(),
  expose: expose.exactOptional(),
  server,
  workers,
  deadlines,
  payments,
  branding: branding.exactOptional(),
});

export const ANCHOR_NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
export const ANCHOR_NAME_TOO_LONG =
  'must be at most 30 characters long, so that the names of its parts fit a DNS label';
export const ANCHOR_NAME_MESSAGE =
  'must be lower-case letters, digits and "-", start with a letter and not end with "-"';

/** A child's name is the anchor's plus a suffix of ours; 30 leaves room within the 63 of a DNS label. */
const anchorName = z.string().min(1).max(30, ANCHOR_NAME_TOO_LONG).regex(ANCHOR_NAME, ANCHOR_NAME_MESSAGE);

const namespace = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower-case letters, digits and "-"');

/** The whole document. `metadata` is Kubernetes' own and may hold more; `status` is the operator's and is not read. */
export const anchorManifest = z.strictObject({
  apiVersion: z.literal(API_VERSION).describe('Version of this schema.'),
  kind: z.literal(KIND).describe('Kind of the resource.'),
  metadata: z
    .looseObject({
      name: anchorName.describe(
        'Name of the anchor: a DNS label of at most 30 characters that starts with a letter.',
      ),
      namespace: namespace.default('default').describe('Namespace that the anchor runs in.'),
    })
    .describe("Kubernetes' own metadata."),
  spec: anchorSpec.describe('What the anchor is to be.'),
  status: z.unknown().exactOptional().describe('Written by the operator; never read from a file.'),
});

export type AnchorSpec = z.output<typeof anchorSpec>;
export type AnchorManifest = z.output<typeof anchorManifest>;
