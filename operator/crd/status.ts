import * as z from 'zod';
import { keyedBy } from '../../core/spec/schema/kubernetes.ts';

/** An upper bound for texts that we write ourselves; every string has one, as in the spec. */
const text = (maximum: number): z.ZodString => z.string().max(maximum);
const count = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const generation = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** metav1.Condition, with the bounds that Kubernetes gives it. */
const condition = z
  .object({
    type: text(316)
      .regex(/^[A-Z][A-Za-z0-9]*$/)
      .describe('What the condition is about, for example Ready.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
    observedGeneration: generation
      .exactOptional()
      .describe('metadata.generation of the spec that this was found with.'),
    lastTransitionTime: text(64).meta({ format: 'date-time' }).describe('When status last changed.'),
    reason: text(1024)
      .regex(/^[A-Z][A-Za-z0-9]*$/)
      .describe('Why, in one word out of docs/conditions.md.'),
    message: text(32_768).describe('Why, in a sentence that says what to do.'),
  })
  .describe('One thing that is well or not.');

const asset = z
  .object({
    code: text(12).describe('Asset code, or native.'),
    issuer: text(56).default('').describe('Account that issues it; empty for native.'),
    account: text(56).exactOptional().describe('Distribution account.'),
    balance: text(20).exactOptional().describe('What the distribution account holds, in the asset.'),
    trustline: z.boolean().exactOptional().describe('Whether the distribution account trusts the asset.'),
    authorised: z
      .boolean()
      .exactOptional()
      .describe('Whether the issuer lets the distribution account hold and pay it.'),
    suspended: z.boolean().exactOptional().describe('Whether its payouts are stopped.'),
  })
  .describe('One asset, as the ledger has it.');

const urls = z
  .object({
    home: text(512).exactOptional().describe('Where the anchor is: https://HOST.'),
    toml: text(512).exactOptional().describe('Its stellar.toml.'),
    webAuth: text(512).exactOptional().describe('Its WEB_AUTH_ENDPOINT (SEP-10).'),
    transferServer: text(512).exactOptional().describe('Its TRANSFER_SERVER_SEP0024.'),
  })
  .describe('Where wallets find what.');

const versions = z
  .object({
    operator: text(128).exactOptional().describe('Release of the operator that wrote this.'),
    server: text(128).exactOptional().describe('Release that serves wallets now.'),
    schema: text(128).exactOptional().describe('Last migration of the database that the server reported.'),
  })
  .describe('What runs.');

const server = z
  .object({
    replicas: count.exactOptional().describe('Copies of the server that there are.'),
    readyReplicas: count.exactOptional().describe('Copies that serve.'),
    selector: text(1024).exactOptional().describe('Label selector of its pods, for the scale subresource.'),
    summary: text(32).exactOptional().describe('Ready of wanted copies, for kubectl: 2/2.'),
  })
  .describe('The wallet-facing server.');

/** The `status` of an Anchor. The operator alone writes it, by server-side apply; all of it can be found out anew. */
export const anchorStatus = z
  .object({
    observedGeneration: generation
      .exactOptional()
      .describe('metadata.generation of the spec that was last reconciled.'),
    conditions: z
      .array(condition)
      .max(32)
      .meta(keyedBy('type'))
      .exactOptional()
      .describe('What is well and what is not; Ready sums it up.'),
    urls: urls.exactOptional(),
    assets: z
      .array(asset)
      .max(32)
      .meta(keyedBy('code', 'issuer'))
      .exactOptional()
      .describe('The assets, as the ledger has them.'),
    assetCodes: text(512).exactOptional().describe('Codes of the assets, for kubectl: SRT,USDC.'),
    versions: versions.exactOptional(),
    server: server.exactOptional(),
  })
  .describe('What the anchor is. Written by the operator.');

export type AnchorStatus = z.input<typeof anchorStatus>;
export type AnchorCondition = z.input<typeof condition>;
export type AssetStatus = z.input<typeof asset>;
