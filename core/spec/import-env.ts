import { parseEnv } from 'node:util';
import { CapstanError } from '../runtime/errors.ts';
import { accountOfSeed, isAccountKey } from './account-key.ts';
import { renderImport } from './import-env-yaml.ts';
import { PUBLIC_HORIZON, PUBLIC_PASSPHRASE, TESTNET_HORIZON, TESTNET_PASSPHRASE } from './networks.ts';
import { readManifest } from './manifest.ts';
import { ManifestErrors } from './problems.ts';

/** What django-polaris' variables say, checked one by one. Seeds are in here: never log it. */
export interface ImportedSettings {
  readonly name: string;
  readonly host: string;
  readonly homeDomains?: readonly string[];
  readonly network: {
    readonly name: 'public' | 'testnet' | 'custom';
    readonly passphrase?: string;
    readonly horizon?: string;
  };
  readonly signing: SeededAccount;
  readonly assets: readonly ImportedAsset[];
  readonly sessionKey?: string;
  readonly pageSize?: number;
  /** Names of variables that have no counterpart. */
  readonly leftOver: readonly string[];
}
export interface SeededAccount {
  readonly account: string;
  readonly seed: string;
}
export interface ImportedAsset extends SeededAccount {
  readonly code: string;
  readonly issuer: string;
}

/** Everything that keeps a `.env` of django-polaris from becoming a manifest; names variables, never values. */
export class ImportErrors extends CapstanError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('invalid_env', problems.join('\n'));
    this.problems = problems;
  }
}

const MOST_CHARACTERS = 262_144;
/** Session keys shorter than HS256's hash are not carried over (RFC 7518, 3.2). */
const SHORTEST_SESSION_KEY = 32;

/**
 * Turns the `.env` of a django-polaris anchor into an Anchor manifest and its Secret, as YAML text. It lacks the
 * integration alone, which Polaris had as Python code; comments say what to fill in.
 * @throws {ImportErrors} with everything that is missing or wrong.
 */
export function importEnv(envText: string): string {
  if (envText.length > MOST_CHARACTERS) throw new ImportErrors(['The file is larger than 256 KiB.']);
  const yaml = renderImport(readSettings(parseEnv(envText)));
  checkRest(yaml);
  return yaml;
}

/** The rules of the spec hold for what was imported too; the integration is the one thing known to be missing. */
function checkRest(yaml: string): void {
  try {
    readManifest(yaml, '.env');
  } catch (error) {
    if (!(error instanceof ManifestErrors)) throw error;
    const rest = error.problems.filter(({ path }) => path !== 'spec.integration');
    if (rest.length > 0) throw new ImportErrors(rest.map(({ path, message }) => `${path} ${message}`));
  }
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads variables, remembers which, and collects what is wrong. */
class Reader {
  readonly problems: string[] = [];
  readonly #read = new Set<string>();
  readonly #variables: Variables;

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  optional(name: string): string | undefined {
    this.#read.add(name);
    return this.#variables[name]?.trim() || undefined;
  }

  required(name: string, what: string): string | undefined {
    const value = this.optional(name);
    if (value === undefined) this.problems.push(`${name} is missing: ${what}.`);
    return value;
  }

  /** The account of a required seed. */
  seed(name: string, what: string): SeededAccount | undefined {
    const seed = this.required(name, what);
    if (seed === undefined) return undefined;
    const account = accountOfSeed(seed);
    if (account) return { account, seed };
    this.problems.push(
      `${name} is no secret seed: it must be S and 55 more letters and digits, copied whole.`,
    );
    return undefined;
  }

  get leftOver(): readonly string[] {
    return Object.keys(this.#variables)
      .filter((name) => !this.#read.has(name))
      .sort();
  }
}

function readSettings(variables: Variables): ImportedSettings {
  const reader = new Reader(variables);
  const assets = readAssets(reader);
  const signing = reader.seed(
    'SIGNING_SEED',
    'the seed of the key that signs SEP-10 challenges, which holds no money',
  );
  const host = readHost(reader);
  const homeDomains = listOf(reader.optional('SEP10_HOME_DOMAINS'));
  const network = readNetwork(reader);
  const pageSize = readPageSize(reader);
  const sessionKey = reader.optional('SERVER_JWT_KEY');
  if (!signing || host === undefined || reader.problems.length > 0) throw new ImportErrors(reader.problems);
  return {
    name: nameOf(host),
    host,
    ...(homeDomains.length > 0 && { homeDomains }),
    network,
    signing,
    assets,
    ...(sessionKey !== undefined && sessionKey.length >= SHORTEST_SESSION_KEY && { sessionKey }),
    ...(pageSize !== undefined && { pageSize }),
    leftOver: reader.leftOver,
  };
}

const listOf = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function readAssets(reader: Reader): readonly ImportedAsset[] {
  const codes = listOf(
    reader.required('ASSETS', 'the codes of the assets with commas between, for example SRT,USD'),
  );
  return codes.flatMap((code) => {
    if (!/^[a-zA-Z0-9]{1,12}$/.test(code)) {
      reader.problems.push('ASSETS names something that is no asset code: 1 to 12 letters and digits.');
      return [];
    }
    const prefix = code.toUpperCase();
    const issuerName = `${prefix}_ISSUER_ACCOUNT_ADDRESS`;
    const issuer = reader.required(issuerName, `the account that issues ${code} (G…)`);
    const seeded = reader.seed(
      `${prefix}_DISTRIBUTION_ACCOUNT_SEED`,
      `the seed of the account that pays ${code} (S…)`,
    );
    if (issuer !== undefined && !isAccountKey(issuer)) {
      reader.problems.push(`${issuerName} is no account: it must be G and 55 more letters and digits.`);
      return [];
    }
    return issuer !== undefined && seeded ? [{ code, issuer, ...seeded }] : [];
  });
}

function readHost(reader: Reader): string | undefined {
  const text = reader.required(
    'HOST_URL',
    'where wallets reach the anchor, for example https://anchor.example.com',
  );
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.host || !['http:', 'https:'].includes(url.protocol)) {
    reader.problems.push('HOST_URL is no URL: write it with https:// in front.');
    return undefined;
  }
  if (url.pathname !== '/') {
    reader.problems.push(
      'HOST_URL has a path: Capstan serves at the root of a host, so give the anchor a host of its own.',
    );
  }
  return url.host;
}

function readNetwork(reader: Reader): ImportedSettings['network'] {
  const passphrase = reader.optional('STELLAR_NETWORK_PASSPHRASE') ?? TESTNET_PASSPHRASE;
  const horizon = reader.optional('HORIZON_URI')?.replace(/\/+$/, '');
  if (passphrase === TESTNET_PASSPHRASE || passphrase === PUBLIC_PASSPHRASE) {
    const [name, usual] =
      passphrase === PUBLIC_PASSPHRASE
        ? (['public', PUBLIC_HORIZON] as const)
        : (['testnet', TESTNET_HORIZON] as const);
    return { name, ...(horizon !== undefined && horizon !== usual && { horizon }) };
  }
  if (horizon === undefined) {
    reader.problems.push(
      'HORIZON_URI is missing: the passphrase is that of a network of your own, so say where its Horizon is.',
    );
    return { name: 'custom', passphrase };
  }
  return { name: 'custom', passphrase, horizon };
}

function readPageSize(reader: Reader): number | undefined {
  const text = reader.optional('DEFAULT_PAGE_SIZE');
  if (text === undefined) return undefined;
  const size = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (size >= 1 && size <= 200) return size;
  reader.problems.push('DEFAULT_PAGE_SIZE must be a whole number from 1 to 200.');
  return undefined;
}

/** A resource's name made of the host: at most 30 characters, starts with a letter, ends with none of "-". */
function nameOf(host: string): string {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 30)
    .replace(/-+$/, '');
  return name || 'anchor';
}
