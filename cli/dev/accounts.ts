import { createHorizon } from '../../core/ledger/horizon.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { developmentSeedRef } from '../../core/spec/development.ts';
import { ensureAsset, ensureFunded, ensureHomeDomain } from '../accounts/setup.ts';
import { issuerSeedRef, type SecretFolder } from './keys.ts';

const SUPPLY = '10000000';

/**
 * Makes the accounts whose keys were generated: issuer (with `homeDomain` written on it, if one is given), distribution with
 * trustline and tokens. Nothing happens on the public network, or for accounts whose seeds are the user's own.
 */
export async function prepareAccounts(
  anchor: Anchor,
  ledgerUrl: string | undefined,
  secrets: Pick<SecretFolder, 'read'>,
  onStep: (step: string) => void,
  homeDomain?: string,
): Promise<void> {
  const { network } = anchor;
  if (network.name !== 'local' && network.name !== 'testnet') return;
  const { passphrase } = network;
  const horizon = createHorizon({
    urls: ledgerUrl ? [ledgerUrl] : network.horizon,
    passphrase,
    clock: systemClock,
  });
  const context = { horizon, passphrase, clock: systemClock, onStep };
  try {
    await Promise.all(
      anchor.assets.map(async (asset) => {
        const issuerSeed = await secrets.read(issuerSeedRef(asset.code));
        const distributionSeed = await secrets.read(developmentSeedRef(asset.code));
        if (distributionSeed === undefined) return;
        if (asset.issuer === undefined) await ensureFunded(context, asset.distributionAccount);
        else if (issuerSeed !== undefined) {
          await ensureAsset(context, { code: asset.code, issuerSeed, distributionSeed, supply: SUPPLY });
          if (homeDomain !== undefined) await ensureHomeDomain(context, issuerSeed, homeDomain);
        }
      }),
    );
  } finally {
    await horizon.close();
  }
}
