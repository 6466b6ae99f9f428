import { describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import type { Anchor } from '../../core/spec/anchor.ts';
import { anchorOf } from '../testing/anchor.ts';
import { followAnchor } from './follow.ts';

const spec: Record<string, unknown> = {};
const running = anchorOf((fresh) => void Object.assign(spec, fresh));
const key = Keypair.random().publicKey();

/** The running anchor, read again, with these parts replaced. */
const changedTo = (parts: Partial<Anchor>): Anchor => ({
  ...anchorOf((fresh) => void Object.assign(fresh, spec)),
  ...parts,
});
const withAsset = (parts: Partial<Anchor['assets'][number]>): Anchor =>
  changedTo({ assets: running.assets.map((asset) => ({ ...asset, ...parts })) });

describe('a spec that changes while the server runs', () => {
  test.each<[string, Anchor]>([
    ['nothing', changedTo({})],
    [
      'who runs the anchor',
      changedTo({ organization: { name: 'Harbor & Sons', supportEmail: 'a@b.example' } }),
    ],
    ['its own toml', changedTo({ toml: 'ORG_TAGLINE = "new"\n' })],
    ["an asset's words", withAsset({ name: 'New', description: 'A new description.' })],
  ])('is followed by stellar.toml when it changes %s', (_, changed) => {
    expect(followAnchor(running, changed)).toEqual({ anchor: changed });
  });

  test.each<[keyof Anchor, Anchor]>([
    ['signingAccount', changedTo({ signingAccount: key })],
    ['host', changedTo({ host: 'other.example' })],
    ['homeDomains', changedTo({ homeDomains: [...running.homeDomains, 'other.example'] })],
    ['webAuthDomain', changedTo({ webAuthDomain: 'other.example' })],
    ['network', changedTo({ network: { ...running.network, passphrase: 'Another network' } })],
    ['assets', withAsset({ id: `SRT:${key}`, issuer: key })],
    ['assets', withAsset({ distributionAccount: key })],
    ['assets', withAsset({ decimals: 3 })],
    ['assets', changedTo({ assets: [] })],
  ])('needs a restart when it changes %s, whatever else it says', (part, changed) => {
    const organization = { name: 'Harbor & Sons' };
    expect(followAnchor(running, { ...changed, organization })).toEqual({ restartNeededFor: [part] });
  });
});
