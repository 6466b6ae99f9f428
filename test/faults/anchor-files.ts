import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Keypair } from '@stellar/stellar-sdk/base';
import { stringify } from 'yaml';
import { SecretFolder, newIntegrationKey, newSessionKey } from '../../cli/dev/keys.ts';
import type { AssetName } from './schedule.ts';

/** Who is who, made anew for each run. */
export interface Keys {
  readonly signing: Keypair;
  readonly issuer: Keypair;
  /** Of both tokens. */
  readonly distribution: Keypair;
  /** Of XLM. */
  readonly nativeDistribution: Keypair;
  readonly integration: string;
}

export interface AnchorFiles {
  readonly config: string;
  readonly secrets: string;
}

/** As wallets name it; where it really answers is the simulator's business. */
export const HOST = 'anchor.sim.example';
export const CODES: Readonly<Record<AssetName, string>> = { first: 'SIM', second: 'SEC', native: 'native' };
/** What a deposit or withdrawal costs, in tokens. */
export const FEE = '1';

const SECRET = 'sim';

export function newKeys(): Keys {
  return {
    signing: Keypair.random(),
    issuer: Keypair.random(),
    distribution: Keypair.random(),
    nativeDistribution: Keypair.random(),
    integration: newIntegrationKey(),
  };
}

/** Writes the Anchor and its Secrets, as Kubernetes would mount them. */
export async function writeAnchorFiles(
  folder: string,
  keys: Keys,
  where: {
    readonly databaseUrl: string;
    readonly horizon: readonly string[];
    readonly passphrase: string;
    readonly bankUrl: string;
  },
): Promise<AnchorFiles> {
  const secrets = new SecretFolder(path.join(folder, 'secrets'));
  const ref = (key: string) => ({ name: SECRET, key });
  const values: Record<string, string> = {
    signing: keys.signing.secret(),
    distribution: keys.distribution.secret(),
    'native-distribution': keys.nativeDistribution.secret(),
    session: newSessionKey(),
    integration: keys.integration,
    database: where.databaseUrl,
  };
  for (const [key, value] of Object.entries(values)) await secrets.write(ref(key), value);
  const direction = { min: '1', max: '10000', fee: { fixed: FEE } };
  const manifest = {
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'Anchor',
    metadata: { name: 'sim' },
    spec: {
      host: HOST,
      network: { name: 'local', passphrase: where.passphrase, horizon: where.horizon },
      organization: { name: 'Simulated Anchor' },
      signingKey: { account: keys.signing.publicKey(), secretRef: ref('signing') },
      sessionKey: { secretRef: ref('session') },
      assets: [
        ...[CODES.first, CODES.second].map((code) => ({
          code,
          issuer: keys.issuer.publicKey(),
          distribution: { account: keys.distribution.publicKey(), secretRef: ref('distribution') },
          deposit: direction,
          withdrawal: direction,
        })),
        {
          code: CODES.native,
          distribution: {
            account: keys.nativeDistribution.publicKey(),
            secretRef: ref('native-distribution'),
          },
          deposit: direction,
          withdrawal: direction,
        },
      ],
      integration: { url: where.bankUrl, key: { secretRef: ref('integration') }, timeout: '3s' },
      database: { secretRef: ref('database') },
      workers: { poll: { interval: '1s' }, trustlines: { interval: '1s' } },
      // A day is a second in the copy that is run (haste.ts).
      payments: { channels: 3, claimableBalances: { reclaimAfter: '1d' } },
    },
  };
  await mkdir(folder, { recursive: true });
  const config = path.join(folder, 'anchor.yaml');
  await writeFile(config, stringify(manifest));
  return { config, secrets: secrets.folder };
}
