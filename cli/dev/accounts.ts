import { createHorizon } from '../../core/ledger/horizon.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { developmentSeedRef } from '../../core/spec/development.ts';
import { ensureAsset, ensureFunded } from '../accounts/setup.ts';
import { issuerSeedRef, type SecretFolder } from './keys.ts';
import type { Output } from './output.ts';

const SUPPLY = '10000000';

/**
 * Makes the accounts whose keys `capstan dev` generated: issuer, distribution with trustline and tokens. Nothing happens
 * on the public network, or for accounts whose seeds are the user's own.
 */
export async function prepareAccounts(
  anchor: Anchor,
  ledgerUrl: string | undefined,
  secrets: SecretFolder,
  output: Output,
): Promise<void> {
  const { network } = anchor;
  if (network.name !== 'local' && network.name !== 'testnet') return;
  const { passphrase } = network;
  const horizon = createHorizon({
    urls: ledgerUrl ? [ledgerUrl] : network.horizon,
    passphrase,
    clock: systemClock,
  });
  const context = {
    horizon,
    passphrase,
    clock: systemClock,
    onStep: (step: string) => output.line('accounts', step),
  };
  try {
    await Promise.all(
      anchor.assets.map(async (asset) => {
        const issuerSeed = await secrets.read(issuerSeedRef(asset.code));
        const distributionSeed = await secrets.read(developmentSeedRef(asset.code));
        if (distributionSeed === undefined) return;
        if (asset.issuer === undefined) await ensureFunded(context, asset.distributionAccount);
        else if (issuerSeed !== undefined) {
          await ensureAsset(context, { code: asset.code, issuerSeed, distributionSeed, supply: SUPPLY });
        }
      }),
    );
  } finally {
    await horizon.close();
  }
}
