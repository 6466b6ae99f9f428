import type { ImportedAsset, ImportedSettings } from './import-env.ts';
import { API_VERSION, KIND } from './schema/anchor.ts';

const MOST_LEFT_OVER = 60;

/** The manifest and its Secret as YAML, with comments where a person has to go on. */
export function renderImport(settings: ImportedSettings): string {
  return [
    ...header(settings),
    ...anchorLines(settings),
    '---',
    '# Seeds: keep this out of version control (or seal it), and apply it before the Anchor.',
    ...secretLines(settings),
    '',
  ].join('\n');
}

function header({ leftOver }: ImportedSettings): readonly string[] {
  const names = leftOver.filter((name) => /^\w{1,64}$/.test(name)).slice(0, MOST_LEFT_OVER);
  return [
    '# Made by `capstan import-env` from the variables of django-polaris.',
    '# Before you apply it: fill in the integration, and check organization, database and the assets.',
    ...(names.length > 0 ? [`# Without a counterpart here: ${names.join(', ')}.`] : []),
  ];
}

function anchorLines(settings: ImportedSettings): readonly string[] {
  const { name, host, network, signing } = settings;
  const keys = `${name}-keys`;
  return [
    `apiVersion: ${API_VERSION}`,
    `kind: ${KIND}`,
    `metadata: { name: ${name} }`,
    'spec:',
    `  host: ${quote(host)}`,
    ...(settings.homeDomains ? [`  homeDomains: [${settings.homeDomains.map(quote).join(', ')}]`] : []),
    '  network:',
    `    name: ${network.name}`,
    ...(network.passphrase === undefined ? [] : [`    passphrase: ${quote(network.passphrase)}`]),
    ...(network.horizon === undefined ? [] : [`    horizon: [${quote(network.horizon)}]`]),
    '  # The name that wallets show; url, supportEmail and logo are welcome too.',
    `  organization: { name: ${quote(host)} }`,
    '  signingKey:',
    `    account: ${signing.account}`,
    `    secretRef: { name: ${keys}, key: signing }`,
    ...(settings.sessionKey === undefined
      ? ['  # No sessionKey: Capstan generates one.']
      : [`  sessionKey: { secretRef: { name: ${keys}, key: session } }`]),
    '  assets:',
    ...settings.assets.flatMap((asset) => assetLines(asset, keys)),
    ...integrationLines,
    ...databaseLines(settings),
    ...(settings.pageSize === undefined ? [] : [`  server: { pageSize: ${settings.pageSize} }`]),
  ];
}

function assetLines(asset: ImportedAsset, keys: string): readonly string[] {
  return [
    `    - code: ${quote(asset.code)}`,
    `      issuer: ${asset.issuer}`,
    '      distribution:',
    `        account: ${asset.account}`,
    `        secretRef: { name: ${keys}, key: distribution-${asset.code} }`,
    '      # Polaris kept these in its database: decimals, symbol, min, max and fee (docs/reference/anchor.md).',
    '      deposit: { enabled: true }',
    '      withdrawal: { enabled: true }',
  ];
}

const integrationLines = [
  '  # Fill in: the container that knows your bank (docs/, the integration guide). What the rails, deposit and withdrawal',
  '  # integrations of Polaris did in Python, it does over HTTP. Capstan runs an image:',
  '  # integration: { image: registry.example/bank:1.0.0, port: 8080 }',
  '  # or calls what runs elsewhere:',
  '  # integration: { url: "https://bank.example" }',
];

/** The public network has a database of one's own; elsewhere the embedded one will do to begin with. */
function databaseLines({ name, network }: ImportedSettings): readonly string[] {
  if (network.name !== 'public') {
    return [
      '  # For trying out. A PostgreSQL of yours: { secretRef: { name: …, key: url } }',
      '  database: { embedded: {} }',
    ];
  }
  return [
    '  # Make this Secret: the URL of an empty PostgreSQL database, not that of Polaris.',
    `  database: { secretRef: { name: ${name}-database, key: url } }`,
  ];
}

function secretLines(settings: ImportedSettings): readonly string[] {
  const seeds = settings.assets.map(({ code, seed }) => `  distribution-${code}: ${quote(seed)}`);
  return [
    'apiVersion: v1',
    'kind: Secret',
    `metadata: { name: ${settings.name}-keys }`,
    'type: Opaque',
    'stringData:',
    `  signing: ${quote(settings.signing.seed)}`,
    ...(settings.sessionKey === undefined ? [] : [`  session: ${quote(settings.sessionKey)}`]),
    ...seeds,
  ];
}

/** JSON's quoting is YAML's too (YAML 1.2, 1.3). */
const quote = (text: string): string => JSON.stringify(text);
