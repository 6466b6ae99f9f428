/* oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-assignment -- a test bends plain data that no type would let it */
import { PUBLIC_PASSPHRASE } from '../networks.ts';
import { testKeys } from '../test-manifest.ts';
import type { Loose } from '../test-manifest.ts';

/** Both sides of one rule; the API server is asked the same as this process. */
export interface RuleCase {
  readonly rule: string;
  /** Bends a right spec so that this rule alone is broken. */
  readonly breaks: (spec: Loose) => void;
  /** Where it is broken, as a file's message says it; the API server leaves out a last index. */
  readonly path: string;
  /** What stands on the line that the message names. */
  readonly line: string | RegExp;
  /** Bends a right spec to the brink: the nearest thing that is still accepted. */
  readonly allows: (spec: Loose) => void;
}

const publicNetwork = (spec: Loose): void => {
  spec.network = { name: 'public' };
};
const customNetwork = (spec: Loose): void => {
  spec.network = { name: 'custom', passphrase: 'Ours ; 2026', horizon: ['https://horizon.ours.example'] };
};
const secondAsset = (spec: Loose, changes: object = {}): void => {
  const distribution = { account: testKeys().account, secretRef: { name: 'harbor-keys', key: 'second' } };
  spec.assets[spec.assets.length] = { ...structuredClone(spec.assets[0]), distribution, ...changes };
};
const nothing = (): void => {};

const networkCases: readonly RuleCase[] = [
  {
    rule: 'custom-network-has-passphrase',
    breaks: (spec) => {
      customNetwork(spec);
      delete spec.network.passphrase;
    },
    path: 'spec.network.passphrase',
    line: 'name: custom',
    allows: customNetwork,
  },
  {
    rule: 'custom-network-has-horizon',
    breaks: (spec) => {
      customNetwork(spec);
      delete spec.network.horizon;
    },
    path: 'spec.network.horizon',
    line: 'name: custom',
    allows: customNetwork,
  },
  {
    rule: 'known-network-has-its-passphrase',
    breaks: (spec) => (spec.network.passphrase = 'Ours ; 2026'),
    path: 'spec.network.passphrase',
    line: 'passphrase: Ours ; 2026',
    allows: (spec) => (spec.network = { name: 'local', passphrase: 'Ours ; 2026' }),
  },
  {
    rule: 'custom-network-is-not-a-known-one',
    breaks: (spec) => {
      customNetwork(spec);
      spec.network.passphrase = PUBLIC_PASSPHRASE;
    },
    path: 'spec.network.passphrase',
    line: PUBLIC_PASSPHRASE,
    allows: customNetwork,
  },
  {
    rule: 'horizon-is-https',
    breaks: (spec) => (spec.network.horizon = ['https://one.example', 'http://two.example']),
    path: 'spec.network.horizon[1]',
    line: '- http://two.example',
    allows: (spec) => {
      customNetwork(spec);
      spec.network.horizon = [
        'http://127.0.0.1:8000',
        'http://[::1]:8000',
        'http://horizon.stellar.svc:8000',
      ];
    },
  },
  {
    rule: 'public-host-is-a-domain',
    breaks: (spec) => {
      publicNetwork(spec);
      spec.host = '10.0.0.7:8443';
    },
    path: 'spec.host',
    line: 'host: 10.0.0.7:8443',
    allows: (spec) => {
      publicNetwork(spec);
      spec.host = 'anchor.harbor.example:8443';
    },
  },
  {
    rule: 'home-domains-are-unique',
    breaks: (spec) => (spec.homeDomains = ['a.example', 'b.example', 'a.example']),
    path: 'spec.homeDomains',
    line: 'a.example',
    allows: (spec) => (spec.homeDomains = ['a.example', 'b.example']),
  },
  {
    rule: 'toml-parses',
    breaks: (spec) => (spec.toml = 'VERSION = "2.7.0"\n[DOCUMENTATION\n'),
    path: 'spec.toml',
    line: 'toml: |',
    allows: (spec) => (spec.toml = 'VERSION = "2.7.0"\n[DOCUMENTATION]\nORG_DBA = "Harbor"\n'),
  },
  {
    rule: 'toml-overrides-nothing-generated',
    breaks: (spec) => (spec.toml = `SIGNING_KEY = "${testKeys().account}"\n`),
    path: 'spec.toml',
    line: 'toml: |',
    allows: (spec) => (spec.toml = '[DOCUMENTATION]\nSIGNING_KEY = "in a table of its own"\n'),
  },
];

const partCases: readonly RuleCase[] = [
  {
    rule: 'branding-has-a-source',
    breaks: (spec) => (spec.branding = {}),
    path: 'spec.branding',
    line: 'branding: {}',
    allows: (spec) => (spec.branding = { configMapRef: { name: 'harbor-brand' }, folder: './brand' }),
  },
  {
    rule: 'integration-has-a-form',
    breaks: (spec) => (spec.integration = { port: 8080 }),
    path: 'spec.integration',
    line: 'port: 8080',
    allows: (spec) => (spec.integration = { command: ['node', 'bank.ts'] }),
  },
  {
    rule: 'integration-has-one-form',
    breaks: (spec) => (spec.integration.url = 'https://bank.example'),
    path: 'spec.integration',
    line: 'image: ',
    allows: (spec) => (spec.integration.command = ['node', 'bank.ts']),
  },
  {
    rule: 'integration-url-is-https',
    breaks: (spec) => (spec.integration = { url: 'http://bank.example' }),
    path: 'spec.integration.url',
    line: 'url: http://bank.example',
    allows: (spec) => (spec.integration = { url: 'http://bank.harbor.svc:8080' }),
  },
  {
    rule: 'environment-has-one-source',
    breaks: (spec) =>
      (spec.integration.env = [
        { name: 'A', value: '1' },
        { name: 'B', valueFrom: {} },
      ]),
    path: 'spec.integration.env[1]',
    line: 'name: B',
    allows: (spec) =>
      (spec.integration.env = [
        { name: 'A' },
        { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      ]),
  },
  {
    rule: 'environment-names-are-unique',
    breaks: (spec) =>
      (spec.integration.env = [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ]),
    path: 'spec.integration.env[1].name',
    line: '- name: A',
    allows: (spec) =>
      (spec.integration.env = [
        { name: 'A', value: '1' },
        { name: 'a', value: '1' },
      ]),
  },
  {
    rule: 'environment-from-has-one-source',
    breaks: (spec) =>
      (spec.integration.envFrom = [{ secretRef: { name: 's' }, configMapRef: { name: 'c' } }]),
    path: 'spec.integration.envFrom[0]',
    line: 'secretRef:',
    allows: (spec) => (spec.integration.envFrom = [{ configMapRef: { name: 'c' } }]),
  },
  {
    rule: 'database-has-one-form',
    breaks: (spec) => (spec.database.embedded = { storage: '1Gi' }),
    path: 'spec.database',
    line: 'secretRef:',
    allows: (spec) => (spec.database = { embedded: { storage: '1Gi' } }),
  },
  {
    rule: 'public-network-needs-a-real-database',
    breaks: (spec) => {
      publicNetwork(spec);
      spec.database = { embedded: { storage: '1Gi' } };
    },
    path: 'spec.database.embedded',
    line: 'storage: 1Gi',
    allows: publicNetwork,
  },
  {
    rule: 'tls-has-one-form',
    breaks: (spec) => (spec.tls = { issuerRef: { name: 'le' }, secretName: 'cert' }),
    path: 'spec.tls',
    line: 'issuerRef:',
    allows: (spec) => (spec.tls = { secretName: 'cert' }),
  },
  {
    rule: 'expose-has-one-form',
    breaks: (spec) => (spec.expose = { ingress: {}, service: {} }),
    path: 'spec.expose',
    line: 'ingress: {}',
    allows: (spec) => (spec.expose = { gateway: { parentRef: { name: 'edge' } } }),
  },
  {
    rule: 'autoscaling-min-below-max',
    breaks: (spec) => (spec.server = { autoscaling: { min: 3, max: 2 } }),
    path: 'spec.server.autoscaling.min',
    line: 'min: 3',
    allows: (spec) => (spec.server = { autoscaling: { min: 3, max: 3 } }),
  },
  {
    rule: 'account-budget-covers-one-account',
    breaks: (spec) => (spec.payments = { accountCreation: { dailyXlm: '2' } }),
    path: 'spec.payments.accountCreation.dailyXlm',
    line: 'dailyXlm: "2"',
    allows: (spec) => (spec.payments = { accountCreation: { enabled: false, dailyXlm: '2' } }),
  },
];

const assetCases: readonly RuleCase[] = [
  {
    rule: 'native-has-no-issuer',
    breaks: (spec) => (spec.assets[0].code = 'native'),
    path: 'spec.assets[0].issuer',
    line: 'issuer: G',
    allows: (spec) => {
      spec.assets[0].code = 'native';
      delete spec.assets[0].issuer;
    },
  },
  {
    rule: 'issued-has-issuer',
    breaks: (spec) => {
      spec.assets[0].code = 'XLM';
      delete spec.assets[0].issuer;
    },
    path: 'spec.assets[0].issuer',
    line: '- code: XLM',
    allows: nothing,
  },
  {
    rule: 'distribution-is-not-issuer',
    breaks: (spec) => {
      spec.assets[0].distribution.account = spec.assets[0].issuer;
    },
    path: 'spec.assets[0].distribution.account',
    line: 'account: G',
    allows: nothing,
  },
  {
    rule: 'amounts-fit-decimals',
    breaks: (spec) => (spec.assets[0].withdrawal.fee.fixed = '1.005'),
    path: 'spec.assets[0].withdrawal.fee.fixed',
    line: 'fixed: "1.005"',
    allows: (spec) => (spec.assets[0].withdrawal.fee.fixed = '1.2500000'),
  },
  {
    rule: 'daily-limit-covers-hourly',
    breaks: (spec) => (spec.assets[0].limits = { hourly: '10', daily: '9.9' }),
    path: 'spec.assets[0].limits.daily',
    line: 'daily: "9.9"',
    allows: (spec) => (spec.assets[0].limits = { hourly: '10', daily: '10' }),
  },
  {
    rule: 'min-below-max',
    breaks: (spec) => (spec.assets[0].withdrawal = { min: '9', max: '8.99' }),
    path: 'spec.assets[0].withdrawal.min',
    line: 'min: "9"',
    allows: (spec) => (spec.assets[0].withdrawal = { min: '9', max: '9.00' }),
  },
  {
    rule: 'fixed-fee-below-max',
    breaks: (spec) => (spec.assets[0].deposit = { max: '8', fee: { fixed: '8' } }),
    path: 'spec.assets[0].deposit.fee.fixed',
    line: 'fixed: "8"',
    allows: (spec) => (spec.assets[0].deposit = { max: '8', fee: { fixed: '7.99' } }),
  },
  {
    rule: 'assets-are-unique',
    breaks: (spec) => secondAsset(spec),
    path: 'spec.assets[1]',
    line: '- code: SRT',
    allows: (spec) => secondAsset(spec, { issuer: testKeys().account }),
  },
  {
    rule: 'distribution-has-one-seed',
    breaks: (spec) => {
      const { account } = spec.assets[0].distribution;
      const secretRef = { name: 'other', key: 'srt' };
      secondAsset(spec, { code: 'EUR', distribution: { account, secretRef } });
    },
    path: 'spec.assets[1].distribution.secretRef',
    line: 'name: other',
    allows: (spec) => secondAsset(spec, { code: 'EUR', distribution: spec.assets[0].distribution }),
  },
  {
    rule: 'signing-is-not-distribution',
    breaks: (spec) => {
      spec.signingKey.account = spec.assets[0].distribution.account;
    },
    path: 'spec.signingKey.account',
    line: 'account: G',
    allows: (spec) => {
      spec.signingKey.account = spec.assets[0].issuer;
    },
  },
  {
    rule: 'signing-has-own-secret-key',
    breaks: (spec) => (spec.signingKey.secretRef.key = 'srt'),
    path: 'spec.signingKey.secretRef',
    line: 'name: harbor-keys',
    allows: (spec) => (spec.signingKey.secretRef = { name: 'other', key: 'srt' }),
  },
];

/** A rule may stand here more than once. */
export const ruleCases: readonly RuleCase[] = [...networkCases, ...partCases, ...assetCases];
