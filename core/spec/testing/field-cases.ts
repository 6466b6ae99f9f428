import { testKeys } from '../test-manifest.ts';
import type { Loose } from '../test-manifest.ts';

/** A bound of one field that JSON Schema cannot say, so that it is said in zod and in CEL. */
export interface FieldCase {
  readonly path: string;
  /** Just beyond the bound. */
  readonly wrong: unknown;
  /** The last right one. */
  readonly right: unknown;
  /** The same from both. */
  readonly message: string;
}

const SEED =
  'looks like a secret seed: take it out, replace that key if the file was shared, and write the public key (G…)';
const TOO_MUCH = 'is more than the ledger can carry: at most 922337203685.4775807';

export const fieldCases: readonly FieldCase[] = [
  {
    path: 'spec.host',
    wrong: 'anchor.example:65536',
    right: 'anchor.example:65535',
    message: 'names a port above 65535: take one between 1 and 65535',
  },
  { path: 'spec.signingKey.account', wrong: testKeys().seed, right: testKeys().account, message: SEED },
  { path: 'spec.assets[0].issuer', wrong: testKeys().seed, right: testKeys().account, message: SEED },
  {
    path: 'spec.assets[0].dust',
    wrong: '922337203685.4775808',
    right: '922337203685.4775807',
    message: TOO_MUCH,
  },
  { path: 'spec.assets[0].dust', wrong: '999999999999', right: '0.0000000', message: TOO_MUCH },
  {
    path: 'spec.assets[0].deposit.fee.percent',
    wrong: '100.0000001',
    right: '100.0000000',
    message: 'must be at most 100: it is per cent of the amount',
  },
  {
    path: 'spec.assets[0].limits.hourly',
    wrong: '0',
    right: '0.0000001',
    message: 'must be at least 0.0000001',
  },
  {
    path: 'spec.payments.maxFee',
    wrong: '0.0000099',
    right: '0.00001',
    message: 'must be at least 0.00001',
  },
  { path: 'spec.payments.maxFee', wrong: '10.0000001', right: '10', message: 'must be at most 10' },
  {
    path: 'spec.workers.poll.interval',
    wrong: '3601s',
    right: '3600s',
    message: 'must be between 1s and 1h',
  },
  {
    path: 'spec.workers.poll.restartInterval',
    wrong: '59s',
    right: '60s',
    message: 'must be between 1m and 1h',
  },
  {
    path: 'spec.deadlines.abandonedAfter',
    wrong: '31d',
    right: '720h',
    message: 'must be between 10m and 30d',
  },
  {
    path: 'spec.expose.ingress.annotations',
    wrong: { ['a'.repeat(318)]: '' },
    right: { ['a'.repeat(317)]: '' },
    message: 'has a name that is empty or longer than 317 characters: shorten it',
  },
];

/** What the schema itself refuses, each side in its own words. */
export const refusedByBoth: readonly (readonly [path: string, wrong: unknown])[] = [
  ['spec.hosts', 'anchor.example'],
  ['spec.host', 'https://anchor.example'],
  ['spec.network.name', 'Testnet'],
  ['spec.organization.url', 'http://harbor.example'],
  ['spec.organization.supportEmail', 'help at harbor.example'],
  ['spec.toml', 7],
  ['spec.assets', []],
  ['spec.assets[0].decimals', 8],
  ['spec.assets[0].deposit.min', '1e3'],
  ['spec.assets[0].deposit.fee.percent', '-1'],
  ['spec.integration.resources', { limits: { memory: '1 Gi' } }],
  ['spec.integration.port', 65_536],
  ['spec.database.embedded', { storage: 'much' }],
  ['spec.server.replicas', 0],
  ['spec.server.trustedProxies', ['everywhere']],
  ['spec.workers.poll.interval', '1.5s'],
  ['spec.payments.channels', '4'],
  [
    'spec.expose.ingress.annotations',
    Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, ''])),
  ],
];

/** Sets the value at a path, making the maps on the way. */
export function setAt(document: Loose, path: string, value: unknown): void {
  const parts = path.split(/[.[\]]+/).filter(Boolean);
  const last = parts.pop() ?? '';
  let at = document as Record<string, unknown>;
  for (const part of parts) at = (at[part] ??= {}) as Record<string, unknown>;
  at[last] = value;
}
