import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { generateSeed, signerFromSeed } from '../../core/keys/ed25519.ts';
import { createHorizon } from '../../core/ledger/horizon.ts';
import { isAccount, isSeed } from '../../core/keys/strkey.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import {
  LOCAL_HORIZON,
  LOCAL_PASSPHRASE,
  TESTNET_HORIZON,
  TESTNET_PASSPHRASE,
} from '../../core/spec/networks.ts';
import { readManifest } from '../../core/spec/manifest.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import { ensureAsset, ensureFunded, ensureHomeDomain, ensureTrustline, type SetupContext } from './setup.ts';

interface NetworkOptions {
  readonly network: 'testnet' | 'local';
  readonly horizon?: string;
}
export interface CreateOptions extends NetworkOptions {
  readonly asset: string;
  readonly supply: string;
  readonly homeDomain?: string;
  readonly secret?: string;
  readonly out?: string;
}
export type FundOptions = NetworkOptions;
export interface TrustOptions extends NetworkOptions {
  readonly asset: string;
  readonly seedFile: string;
}

export class InvalidOption extends CapstanError {
  constructor(option: string, why: string) {
    super('invalid_option', `${option} ${why}.`);
  }
}

const NETWORKS = {
  testnet: { passphrase: TESTNET_PASSPHRASE, horizon: TESTNET_HORIZON },
  local: { passphrase: LOCAL_PASSPHRASE, horizon: LOCAL_HORIZON },
} as const;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Opens the network for one command, and closes it whatever happens. */
async function onNetwork(
  options: NetworkOptions,
  work: (context: SetupContext) => Promise<void>,
): Promise<number> {
  const { passphrase, horizon: usual } = NETWORKS[options.network];
  const horizon = createHorizon({ urls: [options.horizon ?? usual], passphrase, clock: systemClock });
  try {
    await work({ horizon, passphrase, clock: systemClock, onStep: print });
    return 0;
  } finally {
    await horizon.close();
  }
}

/**
 * `capstan accounts create`: issuer, distribution account with trustline and tokens, and a signing key, their seeds in a
 * Secret manifest that only its owner may read. The file is written before anything happens on the ledger, and one that
 * exists is never overwritten: seeds cannot be lost.
 */
export async function createAccounts(options: CreateOptions): Promise<number> {
  const { asset: code, homeDomain } = options;
  if (!/^[a-zA-Z0-9]{1,12}$/.test(code))
    throw new InvalidOption('--asset', 'takes 1 to 12 letters and digits');
  if (homeDomain !== undefined && !/^[a-z0-9.:-]{1,32}$/.test(homeDomain))
    throw new InvalidOption('--home-domain', 'takes a domain of at most 32 characters, the ledger’s limit');
  parseAmount(options.supply);
  const name = options.secret ?? `${code.toLowerCase()}-keys`;
  const file = options.out ?? `${name}.yaml`;
  const seeds = await keepSeeds(file, name);
  const exitCode = await onNetwork(options, async (context) => {
    await ensureAsset(context, {
      code,
      issuerSeed: seeds.issuer,
      distributionSeed: seeds.distribution,
      supply: options.supply,
    });
    if (homeDomain !== undefined) await ensureHomeDomain(context, seeds.issuer, homeDomain);
  });
  const account = (seed: string): string => signerFromSeed(seed).account;
  print('\nFor the Anchor manifest:\n');
  print(
    stringify({
      signingKey: { account: account(seeds.signing), secretRef: { name, key: 'signing' } },
      assets: [
        {
          code,
          issuer: account(seeds.issuer),
          distribution: { account: account(seeds.distribution), secretRef: { name, key: 'distribution' } },
        },
      ],
    }),
  );
  return exitCode;
}

const newSeed = (): string => generateSeed(randomBytes);

type Seeds = Readonly<Record<(typeof SEED_KEYS)[number], string>>;
const SEED_KEYS = ['signing', 'issuer', 'distribution'] as const;

/** Fresh seeds, written before they are used; or those of a file that an earlier, interrupted call has written. */
async function keepSeeds(file: string, name: string): Promise<Seeds> {
  const fresh = { signing: newSeed(), issuer: newSeed(), distribution: newSeed() };
  const manifest = stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: fresh });
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(manifest);
    await handle.sync();
    await handle.close();
    print(`wrote ${file} (mode 0600): a Secret with the seeds; keep it out of version control`);
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readSeeds(file, name);
    throw new InvalidOption('--out', `${file} cannot be written`);
  }
}

/** @throws {InvalidOption} when the file is not what this command writes: seeds are never overwritten */
async function readSeeds(file: string, name: string): Promise<Seeds> {
  const secret = readManifest(await readFile(file, 'utf8'), file).secrets.find((one) => one.name === name);
  const found = SEED_KEYS.map((key) => [key, secret?.text(key)] as const);
  if (!found.every(([, seed]) => seed !== undefined && isSeed(seed))) {
    throw new InvalidOption(
      '--out',
      `${file} exists and is no Secret "${name}" of this command; nothing was overwritten`,
    );
  }
  print(`${file} exists: going on with its seeds`);
  return Object.fromEntries(found) as Seeds;
}

/** `capstan accounts fund`. */
export async function fundAccount(account: string, options: FundOptions): Promise<number> {
  if (!isAccount(account)) throw new InvalidOption('<account>', 'must be a G… address');
  return onNetwork(options, async (context) => {
    await ensureFunded(context, account);
    print(`${account} exists`);
  });
}

/** `capstan accounts trust`. */
export async function trustAsset(options: TrustOptions): Promise<number> {
  const [code = '', issuer = ''] = options.asset.split(':');
  if (!isAccount(issuer))
    throw new InvalidOption('--asset', 'must be CODE:ISSUER with the issuer as a G… address');
  const text =
    options.seedFile === '-' ? await readAll(process.stdin) : await readFile(options.seedFile, 'utf8');
  return onNetwork(options, async (context) => {
    await ensureTrustline(context, text.trim(), { code, issuer });
    print(`${signerFromSeed(text.trim()).account} trusts ${code}`);
  });
}
