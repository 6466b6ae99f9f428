import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { systemClock } from '../../core/runtime/clock.ts';
import { ConfigUnreadable } from '../../core/runtime/config.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { createLog } from '../../core/runtime/log.ts';
import { createShutdown, type Shutdown } from '../../core/runtime/shutdown.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { completeForDevelopment, developmentNeeds } from '../../core/spec/development.ts';
import {
  checkManifest,
  parseManifest,
  soleAnchor,
  type Manifest,
  type ParsedManifest,
} from '../../core/spec/manifest.ts';
import { resolveAnchor } from '../../core/spec/resolve.ts';
import { sayReady } from '../roles/say-ready.ts';
import { prepareAccounts } from './accounts.ts';
import { checkBranding, placeBranding } from './branding.ts';
import { keepCertificates, type DevelopmentCertificates } from './certificates.ts';
import { Crew } from './crew.ts';
import {
  DATABASE_REF,
  INTEGRATION_REF,
  keepDevelopmentKeys,
  newIntegrationKey,
  newSessionKey,
  SecretFolder,
  SESSION_REF,
} from './keys.ts';
import { lockFolder } from './lock.ts';
import { createOutput, type Output } from './output.ts';
import { reservePort, type ReservedPort } from './ports.ts';
import { renderForLocal } from './render.ts';
import { watchForChanges } from './watch.ts';

export interface DevOptions {
  readonly file: string;
  readonly data: string;
  readonly watch?: boolean;
  readonly watchSources?: boolean;
  readonly port?: number;
  /** Where the server and the integration listen. */
  readonly host: string;
  readonly logFormat: string;
  readonly quiet?: boolean;
}

/** The manifest with the development keys in it, checked. */
export interface Loaded {
  readonly parsed: ParsedManifest;
  readonly manifest: Manifest;
  readonly anchor: Anchor;
}

/** Where this run has put things. */
export interface Place {
  readonly folder: string;
  readonly configFile: string;
  readonly secrets: SecretFolder;
  readonly host: string;
  /** Of HTTPS; held until the server starts. */
  readonly port: ReservedPort;
  readonly certificates: DevelopmentCertificates;
}

export class PortTaken extends CapstanError {
  constructor(port: number) {
    super('port_taken', `Port ${port} is taken or not permitted: give --port another one, or 0 for any.`);
  }
}

/** `capstan dev`: everything but the operator in one terminal, until Ctrl-C. */
export async function runDev(options: DevOptions): Promise<number> {
  const output = createOutput({ format: options.logFormat, quiet: options.quiet ?? false });
  const log = createLog({
    name: 'dev',
    level: 'info',
    destination: { write: (line) => output.line('dev', line.trim()) },
  });
  const name = soleName(parseManifest(await readText(options.file), options.file));
  const folder = path.resolve(options.data, name);
  await mkdir(folder, { recursive: true });
  const unlock = await lockFolder(path.join(folder, 'dev.pid'), folder);
  const shutdown = createShutdown({ process, clock: systemClock, log });
  shutdown.add({ name: 'lock', timeoutMs: 500, stop: unlock });
  try {
    const secrets = new SecretFolder(path.join(folder, 'secrets'));
    const loaded = await load(options.file, secrets);
    const branding = await wearBranding(options, folder, loaded, output);
    const place = await choosePlace(options, folder, secrets, output);
    await run({ options, output, shutdown, place, loaded, branding });
  } catch (error) {
    await shutdown.stop('it could not start', 1);
    throw error;
  }
  return shutdown.finished;
}

interface Run {
  readonly options: DevOptions;
  readonly output: Output;
  readonly shutdown: Shutdown;
  readonly place: Place;
  readonly loaded: Loaded;
  /** The folder with the branding of the pages. */
  readonly branding: string | undefined;
}

async function run({ options, output, shutdown, place, loaded, branding }: Run): Promise<void> {
  const crew = new Crew({
    output,
    shutdown,
    place,
    anchor: loaded.anchor,
    anyPort: options.port === 0,
    host: options.host,
    branding,
  });
  const [databaseUrl, ledgerUrl, integrationUrl] = await Promise.all([
    crew.startDatabase(),
    crew.startLedger(),
    crew.startIntegration(),
  ]);
  await place.secrets.write(DATABASE_REF, databaseUrl);
  const facts = { ledgerUrl, integrationUrl };
  await writeConfig(place, loaded, facts);
  // Side by side, as far as one does not need the other: this is what a developer waits for.
  const accounts = prepareAccounts(loaded.anchor, ledgerUrl, place.secrets, (step) =>
    output.line('accounts', step),
  );
  accounts.catch(() => undefined);
  await crew.migrate();
  await crew.startRoles(accounts);
  announce(output, place, loaded.anchor, facts);
  const { caFile } = place.certificates;
  sayReady({
    host: place.host,
    url: `https://${place.host}`,
    horizon: ledgerUrl ?? loaded.anchor.network.horizon[0],
    integration: integrationUrl,
    ca: caFile,
    passphrase: loaded.anchor.network.passphrase,
  });
  if (options.watch === true || options.watchSources === true) {
    const reload = async (): Promise<void> => {
      const changed = await load(options.file, place.secrets);
      await wearBranding(options, place.folder, changed, output);
      await writeConfig(place, changed, facts);
      await crew.restartRoles();
    };
    watchForChanges({ options, anchor: loaded.anchor, crew, reload, output, signal: shutdown.signal });
  }
}

/** The server follows the folder by itself; here it is checked, and a ConfigMap of the manifest made one. */
async function wearBranding(
  { file }: DevOptions,
  data: string,
  { manifest, anchor }: Loaded,
  output: Output,
): Promise<string | undefined> {
  const folder = await placeBranding({ file, data, manifest, onNotice: output.notice });
  if (folder !== undefined) await checkBranding(folder, anchor, output.notice);
  return folder;
}

interface Facts {
  readonly ledgerUrl: string | undefined;
  readonly integrationUrl: string | undefined;
}

async function writeConfig(place: Place, { parsed, manifest }: Loaded, facts: Facts): Promise<void> {
  for (const secret of manifest.secrets) {
    for (const key of secret.keys) {
      await place.secrets.write({ name: secret.name, key }, secret.bytes(key) ?? '');
    }
  }
  await place.secrets.keep(SESSION_REF, newSessionKey);
  await place.secrets.keep(INTEGRATION_REF, newIntegrationKey);
  const rendered = renderForLocal(parsed, {
    host: place.host,
    ...(facts.ledgerUrl !== undefined && { horizon: facts.ledgerUrl }),
    ...(facts.integrationUrl !== undefined && { integrationUrl: facts.integrationUrl }),
    database: DATABASE_REF,
    session: SESSION_REF,
    integrationKey: INTEGRATION_REF,
  });
  await writeFile(
    place.configFile,
    `# GENERATED by capstan dev from the manifest at every start; changes are lost.\n${stringify(rendered)}`,
  );
}

/** Reads, completes with development keys and checks the manifest. @throws {ManifestErrors | ConfigUnreadable} */
async function load(file: string, secrets: SecretFolder): Promise<Loaded> {
  const raw = parseManifest(await readText(file), file);
  const parsed = completeForDevelopment(raw, await keepDevelopmentKeys(secrets, developmentNeeds(raw)));
  const manifest = checkManifest([parsed]);
  return { parsed, manifest, anchor: resolveAnchor(soleAnchor(manifest, file)) };
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigUnreadable(file, error);
  });
}

/** The name under which this anchor's data is kept, before anything else of the manifest is known to be right. */
function soleName(parsed: ParsedManifest): string {
  const value = parsed.documents.map(
    (document) => document.value as { kind?: unknown; metadata?: { name?: unknown } } | null,
  );
  const name = value.find((document) => document?.kind === 'Anchor')?.metadata?.name;
  return typeof name === 'string' && /^[a-z][a-z0-9-]{0,29}$/.test(name) ? name : 'anchor';
}

async function choosePlace(
  options: DevOptions,
  folder: string,
  secrets: SecretFolder,
  output: Output,
): Promise<Place> {
  const wanted = options.port === undefined ? [443, 8443] : [options.port];
  const reserved = await reservePort(wanted);
  const { port } = reserved;
  if (options.port && port !== options.port) {
    await reserved.release();
    throw new PortTaken(options.port);
  }
  if (options.port === undefined && port !== 443) {
    output.notice(
      `Port 443 is taken or not permitted: serving on port ${port}. Wallets then need the port in the home domain.`,
    );
  }
  const host = port === 443 ? 'localhost' : `localhost:${port}`;
  const certificates = await keepCertificates(
    path.join(folder, 'tls'),
    ['localhost', '127.0.0.1', '::1'],
    new Date(),
  );
  return {
    folder,
    configFile: path.join(folder, 'anchor.yaml'),
    secrets,
    host,
    port: reserved,
    certificates,
  };
}

function announce(output: Output, place: Place, anchor: Anchor, { ledgerUrl, integrationUrl }: Facts): void {
  const { caFile, isNewAuthority } = place.certificates;
  const lines = [
    '',
    `  ${anchor.organization.name} is running.`,
    `    anchor       https://${place.host}/.well-known/stellar.toml`,
    ...(integrationUrl ? [`    integration  ${integrationUrl}`] : []),
    `    horizon      ${ledgerUrl ?? anchor.network.horizon.join(', ')}`,
    `    assets       ${anchor.assets.map((asset) => asset.id).join(', ')}`,
    `    data         ${place.folder}`,
    `    CA           ${caFile}${isNewAuthority ? '  (new: trust it once, see below)' : ''}`,
    ...(isNewAuthority
      ? [
          '',
          '  To trust the certificates of this machine’s own CA:',
          `    Node and wallets in Node   NODE_EXTRA_CA_CERTS=${caFile}`,
          `    curl                       curl --cacert ${caFile} …`,
          '    browsers                   import it as a certificate authority, for websites',
        ]
      : []),
    '',
    '  Ctrl-C stops everything.',
    '',
  ];
  output.notice(lines.join('\n'));
}
