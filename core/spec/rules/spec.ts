import { parse as parseToml, TomlError } from 'smol-toml';
import { parseAmount } from '../../transaction/amount.ts';
import { isInternal, PUBLIC_PASSPHRASE, TESTNET_PASSPHRASE } from '../networks.ts';
import { celAtMost, celIsInternal, celText } from './cel.ts';
import { specRule } from './rule.ts';
import type { Rule, Sections } from './rule.ts';

const KNOWN_PASSPHRASES: ReadonlySet<string | undefined> = new Set([PUBLIC_PASSPHRASE, TESTNET_PASSPHRASE]);
/** What wallets must be able to trust; another value would send them elsewhere. */
const GENERATED_TOML = ['NETWORK_PASSPHRASE', 'SIGNING_KEY', 'WEB_AUTH_ENDPOINT', 'TRANSFER_SERVER_SEP0024'];

const countOf = (...parts: readonly unknown[]): number => parts.filter((part) => part !== undefined).length;

const networkRules: readonly Rule[] = [
  specRule(['network'], {
    name: 'custom-network-has-passphrase',
    message: 'is missing: a custom network is told by its passphrase, so add it.',
    cel: {
      rule: "self.network.name != 'custom' || has(self.network.passphrase)",
      fieldPath: '.network.passphrase',
    },
    holds: ({ network }) => network.name !== 'custom' || network.passphrase !== undefined,
    at: () => ['network', 'passphrase'],
  }),
  specRule(['network'], {
    name: 'custom-network-has-horizon',
    message:
      'is missing: nobody knows where a custom network is, so list the URL of a Horizon server at least.',
    cel: {
      rule: "self.network.name != 'custom' || has(self.network.horizon)",
      fieldPath: '.network.horizon',
    },
    holds: ({ network }) => network.name !== 'custom' || network.horizon !== undefined,
    at: () => ['network', 'horizon'],
  }),
  specRule(['network'], {
    name: 'known-network-has-its-passphrase',
    message: 'is known for the public network and testnet: take it out, or write name: custom.',
    cel: {
      rule: "!(self.network.name in ['public', 'testnet']) || !has(self.network.passphrase)",
      fieldPath: '.network.passphrase',
    },
    holds: ({ network }) =>
      (network.name !== 'public' && network.name !== 'testnet') || network.passphrase === undefined,
    at: () => ['network', 'passphrase'],
  }),
  specRule(['network'], {
    name: 'custom-network-is-not-a-known-one',
    message:
      'is that of the public network or testnet: write name: public or name: testnet, and take it out.',
    cel: {
      rule: `self.network.name in ['public', 'testnet'] || !has(self.network.passphrase) || !(self.network.passphrase in [${celText(PUBLIC_PASSPHRASE)}, ${celText(TESTNET_PASSPHRASE)}])`,
      fieldPath: '.network.passphrase',
    },
    holds: ({ network }) =>
      network.name === 'public' || network.name === 'testnet' || !KNOWN_PASSPHRASES.has(network.passphrase),
    at: () => ['network', 'passphrase'],
  }),
  specRule(['network'], {
    name: 'horizon-is-https',
    message:
      'must start with https://: what it answers decides over money. Only a local ledger, and a custom network on this machine or inside the cluster, may do with http.',
    cel: {
      rule: `self.network.name == 'local' || !has(self.network.horizon) || self.network.horizon.all(url, url.startsWith('https:') || (self.network.name == 'custom' && ${celIsInternal('url')}))`,
      fieldPath: '.network.horizon',
    },
    holds: ({ network }) => insecureHorizon(network) === undefined,
    at: ({ network }) => ['network', 'horizon', insecureHorizon(network) ?? 0],
  }),
  specRule(['network', 'host'], {
    name: 'public-host-is-a-domain',
    message:
      'must be a domain name that wallets everywhere can reach: the public network has no use for localhost or an address.',
    cel: {
      rule: "self.network.name != 'public' || self.host.matches('^([^.:]+[.])+[^.:]*[^.:0-9][^.:]*(:[0-9]+)?$')",
      fieldPath: '.host',
    },
    holds: ({ network, host }) => network.name !== 'public' || isDomain(host),
    at: () => ['host'],
  }),
  specRule(['homeDomains'], {
    name: 'home-domains-are-unique',
    message: 'lists a domain twice: keep one.',
    cel: {
      rule: `!has(self.homeDomains) || self.homeDomains.all(one, self.homeDomains.exists_one(other, other == one))`,
      fieldPath: '.homeDomains',
    },
    holds: ({ homeDomains }) => new Set(homeDomains).size === (homeDomains?.length ?? 0),
    at: () => ['homeDomains'],
  }),
  specRule(['toml'], {
    name: 'toml-parses',
    message: 'is not TOML: correct it.',
    cel: 'inProcessOnly',
    holds: ({ toml }) => tomlTrouble(toml) === undefined,
    at: () => ['toml'],
    detail: ({ toml }) => tomlTrouble(toml) ?? '',
  }),
  specRule(['toml'], {
    name: 'toml-overrides-nothing-generated',
    message: `sets what Capstan generates (one of ${GENERATED_TOML.join(', ')}): take it out.`,
    cel: 'inProcessOnly',
    holds: ({ toml }) => !GENERATED_TOML.some((key) => topLevelKeys(toml).includes(key)),
    at: () => ['toml'],
  }),
];

const partRules: readonly Rule[] = [
  specRule(['branding'], {
    name: 'branding-has-a-source',
    message: 'must have configMapRef (a cluster) or folder (`capstan dev`): add one, or take branding out.',
    cel: {
      rule: '!has(self.branding) || has(self.branding.configMapRef) || has(self.branding.folder)',
      fieldPath: '.branding',
    },
    holds: ({ branding }) => branding === undefined || countOf(branding.configMapRef, branding.folder) > 0,
    at: () => ['branding'],
  }),
  specRule(['integration'], {
    name: 'integration-has-a-form',
    message: 'must have image (Capstan runs the container) or url (it runs elsewhere): add one.',
    cel: {
      rule: `has(self.integration.image) || has(self.integration.url) || has(self.integration.command)`,
      fieldPath: '.integration',
    },
    holds: ({ integration: { image, url, command } }) => countOf(image, url, command) > 0,
    at: () => ['integration'],
  }),
  specRule(['integration'], {
    name: 'integration-has-one-form',
    message:
      'has both image and url: keep image if Capstan is to run the container, url if it runs elsewhere.',
    cel: { rule: `!has(self.integration.image) || !has(self.integration.url)`, fieldPath: '.integration' },
    holds: ({ integration: { image, url } }) => countOf(image, url) < 2,
    at: () => ['integration'],
  }),
  specRule(['integration'], {
    name: 'integration-url-is-https',
    message:
      "must start with https://: customers' data passes there. Only this machine and the cluster may do with http.",
    cel: {
      rule: `!has(self.integration.url) || self.integration.url.startsWith('https:') || ${celIsInternal('self.integration.url')}`,
      fieldPath: '.integration.url',
    },
    holds: ({ integration: { url } }) => url === undefined || url.startsWith('https:') || isInternal(url),
    at: () => ['integration', 'url'],
  }),
  specRule(['integration'], {
    name: 'environment-has-one-source',
    message:
      'must have one source: value or valueFrom, and in valueFrom one of secretKeyRef and configMapKeyRef.',
    cel: {
      rule: `self.integration.env.all(one, !has(one.valueFrom) || (!has(one.value) && has(one.valueFrom.secretKeyRef) != has(one.valueFrom.configMapKeyRef)))`,
      fieldPath: '.integration.env',
    },
    holds: ({ integration }) => ambiguousVariable(integration) === -1,
    at: ({ integration }) => ['integration', 'env', ambiguousVariable(integration)],
  }),
  specRule(['integration'], {
    name: 'environment-names-are-unique',
    message: 'names a variable a second time: keep one of the two.',
    cel: {
      rule: 'self.integration.env.all(one, self.integration.env.exists_one(other, other.name == one.name))',
      fieldPath: '.integration.env',
    },
    holds: ({ integration: { env } }) => secondVariable(env) === -1,
    at: ({ integration: { env } }) => ['integration', 'env', secondVariable(env), 'name'],
  }),
  specRule(['integration'], {
    name: 'environment-from-has-one-source',
    message: 'must name one of secretRef and configMapRef.',
    cel: {
      rule: `self.integration.envFrom.all(one, has(one.secretRef) != has(one.configMapRef))`,
      fieldPath: '.integration.envFrom',
    },
    holds: ({ integration }) => ambiguousSource(integration) === -1,
    at: ({ integration }) => ['integration', 'envFrom', ambiguousSource(integration)],
  }),
  specRule(['database'], {
    name: 'database-has-one-form',
    message:
      'must have either secretRef (a PostgreSQL of yours) or embedded (one for trying out): keep exactly one.',
    cel: { rule: `has(self.database.secretRef) != has(self.database.embedded)`, fieldPath: '.database' },
    holds: ({ database: { secretRef, embedded } }) => countOf(secretRef, embedded) === 1,
    at: () => ['database'],
  }),
  specRule(['database', 'network'], {
    name: 'public-network-needs-a-real-database',
    message:
      'has no backups, and on the public network losing it loses money: write secretRef with the URL of a PostgreSQL.',
    cel: {
      rule: "self.network.name != 'public' || !has(self.database.embedded)",
      fieldPath: '.database.embedded',
    },
    holds: ({ database, network }) => network.name !== 'public' || database.embedded === undefined,
    at: () => ['database', 'embedded'],
  }),
  specRule(['tls'], {
    name: 'tls-has-one-form',
    message:
      'must have either issuerRef (cert-manager makes the certificate) or secretName: keep exactly one.',
    cel: { rule: `!has(self.tls) || has(self.tls.issuerRef) != has(self.tls.secretName)`, fieldPath: '.tls' },
    holds: ({ tls }) => tls === undefined || countOf(tls.issuerRef, tls.secretName) === 1,
    at: () => ['tls'],
  }),
  specRule(['expose'], {
    name: 'expose-has-one-form',
    message: 'must have exactly one of ingress, gateway and service.',
    cel: {
      rule: `!has(self.expose) || [has(self.expose.ingress), has(self.expose.gateway), has(self.expose.service)].exists_one(form, form)`,
      fieldPath: '.expose',
    },
    holds: ({ expose }) =>
      expose === undefined || countOf(expose.ingress, expose.gateway, expose.service) === 1,
    at: () => ['expose'],
  }),
  specRule(['server'], {
    name: 'autoscaling-min-below-max',
    message: 'is above max: lower min, or raise max.',
    cel: {
      rule: `!has(self.server.autoscaling) || self.server.autoscaling.min <= self.server.autoscaling.max`,
      fieldPath: '.server.autoscaling.min',
    },
    holds: ({ server: { autoscaling } }) => !autoscaling || autoscaling.min <= autoscaling.max,
    at: () => ['server', 'autoscaling', 'min'],
  }),
  specRule(['payments'], {
    name: 'account-budget-covers-one-account',
    message:
      'is below startingBalance, so no account could ever be created: raise it, or write enabled: false.',
    cel: {
      rule: `!self.payments.accountCreation.enabled || ${celAtMost('self.payments.accountCreation.startingBalance', 'self.payments.accountCreation.dailyXlm')}`,
      fieldPath: '.payments.accountCreation.dailyXlm',
    },
    holds: ({ payments: { accountCreation } }) =>
      !accountCreation.enabled ||
      parseAmount(accountCreation.dailyXlm) >= parseAmount(accountCreation.startingBalance),
    at: () => ['payments', 'accountCreation', 'dailyXlm'],
  }),
];

export const specRules: readonly Rule[] = [...networkRules, ...partRules];

function insecureHorizon(network: Sections['network']): number | undefined {
  if (network.name === 'local') return undefined;
  const index = network.horizon?.findIndex(
    (url) => !url.startsWith('https:') && !(network.name === 'custom' && isInternal(url)),
  );
  return index === -1 ? undefined : index;
}

/** A name with a dot whose last label is no number, so neither a bare host nor an IPv4 address. */
function isDomain(host: string): boolean {
  const labels = host.replace(/:\d+$/, '').split('.');
  return labels.length > 1 && !/^\d+$/.test(labels.at(-1) ?? '');
}

/** Where TOML stops being TOML; undefined if it parses. The parser's own message quotes the text, so it stays out. */
function tomlTrouble(toml: string | undefined): string | undefined {
  try {
    parseToml(toml ?? '');
    return undefined;
  } catch (error) {
    return error instanceof TomlError
      ? `It stops making sense at line ${error.line}, column ${error.column} of the text.`
      : 'It nests too deep.';
  }
}

function topLevelKeys(toml: string | undefined): readonly string[] {
  return tomlTrouble(toml) === undefined ? Object.keys(parseToml(toml ?? '')) : [];
}

function ambiguousVariable(integration: Sections['integration']): number {
  return integration.env.findIndex(
    ({ value, valueFrom }) =>
      countOf(value, valueFrom) > 1 ||
      (valueFrom && countOf(valueFrom.secretKeyRef, valueFrom.configMapKeyRef) !== 1),
  );
}

function secondVariable(env: Sections['integration']['env']): number {
  return env.findIndex(({ name }, index) => env.findIndex((other) => other.name === name) < index);
}

function ambiguousSource(integration: Sections['integration']): number {
  return integration.envFrom.findIndex(
    ({ secretRef, configMapRef }) => countOf(secretRef, configMapRef) !== 1,
  );
}
