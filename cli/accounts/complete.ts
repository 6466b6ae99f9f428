import { open, readFile, rename } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { isSeed } from '../../core/keys/strkey.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import {
  completeForDevelopment,
  DEVELOPMENT_SECRET,
  developmentNeeds,
  type DevelopmentKeys,
} from '../../core/spec/development.ts';
import {
  checkManifest,
  parseManifest,
  readManifest,
  soleAnchor,
  type ParsedManifest,
} from '../../core/spec/manifest.ts';
import { resolveAnchor } from '../../core/spec/resolve.ts';
import type { SecretRef } from '../../core/spec/secrets.ts';
import { prepareAccounts } from '../dev/accounts.ts';
import { keepDevelopmentKeys } from '../dev/keys.ts';
import { InvalidOption } from './commands.ts';

export interface CompleteOptions {
  readonly file: string;
  readonly out: string;
  readonly horizon?: string;
}

/** Bytes that the ledger keeps of a home domain (CAP-0002's `string32`). */
const LONGEST_HOME_DOMAIN = 32;
const STANDARD_STREAM = '-';

/**
 * `capstan accounts complete`: the keys that a manifest leaves out, as `capstan dev` makes them, but for a cluster. Writes the
 * manifest whole, with a Secret of the seeds, to a file, and only then makes the accounts: their seeds cannot be lost. Called again
 * with a file that it wrote, it goes on with the keys in there. To standard output it writes when the accounts are there, so that
 * `kubectl apply` behind it gets no Anchor without accounts; the seeds of a call that fails are lost, and the next one makes others.
 * @throws {ManifestErrors}
 * @throws {InvalidOption}
 * @throws {AccountSetupFailed}
 */
export async function completeManifest(options: CompleteOptions): Promise<number> {
  const isPrinted = options.out === STANDARD_STREAM;
  if (isPrinted && process.stdout.isTTY)
    throw new InvalidOption('--out', 'is "-", which would show seeds here: pipe it on, or name a file');
  const raw = await readRaw(options.file);
  const seeds = new Seeds(isPrinted ? undefined : await readEarlier(options.out));
  const keys = await keepDevelopmentKeys(seeds, developmentNeeds(raw));
  const { anchor, text } = complete(raw, keys, seeds);
  const [homeDomain = ''] = anchor.homeDomains;
  if (Buffer.byteLength(homeDomain) > LONGEST_HOME_DOMAIN)
    throw new InvalidOption(
      'spec.host',
      `is "${homeDomain}", and the ledger keeps at most ${LONGEST_HOME_DOMAIN} characters of a home domain: take a shorter one`,
    );
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  if (!isPrinted) {
    await writeWhole(options.out, text);
    say(`wrote ${options.out} (mode 0600): it holds seeds; keep it out of version control`);
  }
  await prepareAccounts(anchor, options.horizon, seeds, say, homeDomain);
  if (isPrinted) process.stdout.write(text);
  return 0;
}

/** In memory: what an earlier call has written, and what is new. */
class Seeds {
  readonly #values: Map<string, string>;

  constructor(earlier: ReadonlyMap<string, string> = new Map()) {
    this.#values = new Map(earlier);
  }

  async read({ key }: SecretRef): Promise<string | undefined> {
    return this.#values.get(key);
  }

  async keep({ key }: SecretRef, make: () => string): Promise<string> {
    const value = this.#values.get(key) ?? make();
    this.#values.set(key, value);
    return value;
  }

  get stringData(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#values);
  }
}

async function readRaw(file: string): Promise<ParsedManifest> {
  if (file === STANDARD_STREAM) return parseManifest(await readAll(process.stdin), 'standard input');
  return parseManifest(await readFile(file, 'utf8'), file);
}

/** The manifest as it is to be applied, checked as if it were read from a file. */
function complete(
  raw: ParsedManifest,
  keys: DevelopmentKeys,
  seeds: Seeds,
): { readonly anchor: Anchor; readonly text: string } {
  const whole = completeForDevelopment(raw, keys);
  const manifest = soleAnchor(checkManifest([whole]), raw.file);
  const { namespace } = manifest.metadata;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: DEVELOPMENT_SECRET, namespace },
    stringData: seeds.stringData,
  };
  const documents = [secret, ...whole.documents.map(({ value }) => value)];
  const text = documents.map((document) => stringify(document)).join('---\n');
  return { anchor: resolveAnchor(manifest), text };
}

/** The seeds of a file that an earlier call has written; undefined if there is no file. */
async function readEarlier(file: string): Promise<ReadonlyMap<string, string> | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InvalidOption('--out', `${file} cannot be read (${error.code})`);
  });
  if (text === undefined) return undefined;
  const secret = readManifest(text, file).secrets.find(({ name }) => name === DEVELOPMENT_SECRET);
  const seeds = (secret?.keys ?? []).map((key) => [key, secret?.text(key) ?? ''] as const);
  if (seeds.length === 0 || !seeds.every(([, seed]) => isSeed(seed)))
    throw new InvalidOption('--out', `${file} exists and is none of this command; nothing was overwritten`);
  return new Map(seeds);
}

/** The old content or the new, whatever happens: the seeds of accounts that exist are in both. */
async function writeWhole(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  const handle = await open(unfinished, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidOption('--out', `${file} cannot be written (${error.code})`);
  });
  await handle.writeFile(text);
  await handle.sync();
  await handle.close();
  await rename(unfinished, file);
}
