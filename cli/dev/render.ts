import { isRecord } from '../../core/spec/guards.ts';
import type { ParsedManifest } from '../../core/spec/manifest.ts';
import { KIND } from '../../core/spec/schema/anchor.ts';
import type { SecretRef } from '../../core/spec/secrets.ts';

/** What is true on this machine and not in the manifest. */
export interface LocalFacts {
  /** Host, with its port unless 443, at which the pages and wallets find us. */
  readonly host: string;
  /** Absent: the manifest's network is used as it is. */
  readonly horizon?: string;
  /** Absent: the manifest names the integration's own URL. */
  readonly integrationUrl?: string;
  readonly database: SecretRef;
  readonly session: SecretRef;
  readonly integrationKey: SecretRef;
}

/**
 * The Anchor as the processes on this machine are to see it: the manifest with our addresses and our Secrets in it, as
 * the operator renders it for a cluster. Pure; the answer is a plain document.
 */
export function renderForLocal(parsed: ParsedManifest, facts: LocalFacts): Record<string, unknown> {
  const document = parsed.documents
    .map(({ value }) => value)
    .find((value) => isRecord(value) && value['kind'] === KIND);
  if (!isRecord(document) || !isRecord(document['spec'])) throw new Error('the manifest was not checked');
  const { spec } = document;
  const { network, integration, workers } = spec;
  return {
    ...document,
    spec: {
      ...spec,
      host: facts.host,
      homeDomains: [facts.host],
      network: { ...record(network), ...(facts.horizon !== undefined && { horizon: [facts.horizon] }) },
      database: { secretRef: facts.database },
      sessionKey: spec['sessionKey'] ?? { secretRef: facts.session },
      integration: localIntegration(record(integration), facts),
      ...(workers !== undefined && { workers }),
    },
  };
}

function localIntegration(integration: Fields, facts: LocalFacts): Fields {
  const { image: _, command: __, url, ...rest } = integration;
  return {
    ...rest,
    url: facts.integrationUrl ?? url,
    key: integration['key'] ?? { secretRef: facts.integrationKey },
  };
}

type Fields = Readonly<Record<string, unknown>>;
const record = (value: unknown): Fields => (isRecord(value) ? value : {});
