import { isDeepStrictEqual } from 'node:util';
import type { AssetFacts } from '../../core/status/document.ts';
import { resolveAnchor } from '../../core/spec/resolve.ts';
import type { AnchorManifest } from '../../core/spec/schema/anchor.ts';
import type { AnchorCondition, AnchorStatus, AssetStatus } from '../crd/status.ts';
import type { AnchorObject } from './anchor-object.ts';
import type { Rollout } from './child-object.ts';
import { REASON_TABLE, type ConditionReason } from './reason-table.ts';
import type { Finding } from './reasons.ts';
import { statusIn } from './report-findings.ts';
import type { Reading } from './status-reader.ts';

export interface StatusInput {
  readonly anchor: AnchorObject;
  /** The status that was last written, or what the cache has. */
  readonly before: AnchorStatus | undefined;
  readonly findings: readonly Finding[];
  readonly manifest: AnchorManifest | undefined;
  readonly server: Rollout | undefined;
  readonly selector: string | undefined;
  readonly reading: Reading | undefined;
  readonly operatorVersion: string;
  /** ISO 8601, whole seconds. */
  readonly now: string;
}

/** The whole status of an Anchor. What nobody reported this time stays as it was reported last. */
export function statusOf(input: StatusInput): AnchorStatus {
  const { anchor, before, findings, manifest, reading } = input;
  const generation = anchor.metadata.generation ?? 0;
  return {
    observedGeneration: generation,
    conditions: findings.map((one) => conditionOf(one, before, { generation, now: input.now })),
    ...(manifest ? specPart(manifest, before, reading) : lastPart(before)),
    versions: { operator: input.operatorVersion, ...reportedVersions(before, reading) },
    server: serverPart(input),
  };
}

function reportedVersions(
  before: AnchorStatus | undefined,
  reading: Reading | undefined,
): NonNullable<AnchorStatus['versions']> {
  const reported = statusIn(reading);
  const server = reported?.version ?? before?.versions?.server;
  const schema = reported?.schema.found ?? before?.versions?.schema;
  return { ...(server !== undefined && { server }), ...(schema !== undefined && { schema }) };
}

function conditionOf(
  { type, status, reason, message }: Finding,
  before: AnchorStatus | undefined,
  { generation, now }: { readonly generation: number; readonly now: string },
): AnchorCondition {
  const old = before?.conditions?.find((one) => one.type === type);
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : now;
  return { type, status, reason, message, observedGeneration: generation, lastTransitionTime };
}

const lastPart = (before: AnchorStatus | undefined): Partial<AnchorStatus> => ({
  ...(before?.urls && { urls: before.urls }),
  ...(before?.assets && { assets: before.assets }),
  ...(before?.assetCodes !== undefined && { assetCodes: before.assetCodes }),
});

function specPart(
  manifest: AnchorManifest,
  before: AnchorStatus | undefined,
  reading: Reading | undefined,
): Partial<AnchorStatus> {
  const home = `https://${manifest.spec.host}`;
  const assets = resolveAnchor(manifest).assets;
  const reported = statusIn(reading);
  const stopped = reported?.suspensions ?? {};
  return {
    urls: {
      home,
      toml: `${home}/.well-known/stellar.toml`,
      webAuth: `${home}/auth`,
      transferServer: `${home}/sep24`,
    },
    assetCodes: assets.map(({ code }) => code).join(','),
    assets: assets.map(({ id, code, issuer = '', distributionAccount, suspended }): AssetStatus => {
      const facts = reported?.preflight?.assets.find((one) => one.id === id);
      const old = before?.assets?.find((one) => one.code === code && (one.issuer ?? '') === issuer);
      const isStopped = suspended || manifest.spec.payments.suspended || 'anchor' in stopped || id in stopped;
      return {
        code,
        issuer,
        account: distributionAccount,
        ...(facts ? factsPart(facts) : old?.account === distributionAccount && oldFacts(old)),
        suspended: isStopped,
      };
    }),
  };
}

const factsPart = ({ balance, hasTrustline, isAuthorized }: AssetFacts): Partial<AssetStatus> => ({
  ...(balance !== undefined && { balance }),
  trustline: hasTrustline,
  authorised: isAuthorized,
});

const oldFacts = ({ balance, trustline, authorised }: AssetStatus): Partial<AssetStatus> => ({
  ...(balance !== undefined && { balance }),
  ...(trustline !== undefined && { trustline }),
  ...(authorised !== undefined && { authorised }),
});

function serverPart({ server, selector }: StatusInput): NonNullable<AnchorStatus['server']> {
  const { replicas = 0, ready = 0, wanted = 0 } = server ?? {};
  return {
    replicas,
    readyReplicas: ready,
    summary: `${ready}/${wanted}`,
    ...(selector !== undefined && { selector }),
  };
}

/** Whether writing `next` would change nothing. The order of conditions and assets is ours, so it counts. */
export const isSameStatus = (next: AnchorStatus, before: AnchorStatus | undefined): boolean =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(next)), before && JSON.parse(JSON.stringify(before)));

/** A condition that came to another reason, and the type of its Event. */
export interface Transition {
  readonly condition: AnchorCondition;
  readonly event: 'Normal' | 'Warning';
}

/** What is to be told as Events: one for each change of a reason, but not what is well from the first. */
export function transitions(next: AnchorStatus, before: AnchorStatus | undefined): readonly Transition[] {
  return (next.conditions ?? []).flatMap((condition) => {
    const old = before?.conditions?.find(({ type }) => type === condition.type);
    const table: Readonly<Record<string, Readonly<Record<string, ConditionReason>>>> = REASON_TABLE;
    const event = table[condition.type]?.[condition.reason]?.event;
    const isNews = old ? old.reason !== condition.reason : event === 'Warning';
    return event !== undefined && isNews ? [{ condition, event }] : [];
  });
}
