import { isRecord } from '../../core/spec/guards.ts';
import { LOCAL_PASSPHRASE, PUBLIC_PASSPHRASE, TESTNET_PASSPHRASE } from '../../core/spec/networks.ts';
import type { AnchorObject } from './anchor-object.ts';

const PASSPHRASES: Readonly<Record<string, string>> = {
  public: PUBLIC_PASSPHRASE,
  testnet: TESTNET_PASSPHRASE,
  local: LOCAL_PASSPHRASE,
};

/** Each distribution account of an Anchor, with the network that it is on: `<passphrase> <account>`. */
export function accountsOf({ spec }: AnchorObject): string[] {
  const network = isRecord(spec?.['network']) ? spec['network'] : {};
  const { name, passphrase } = network;
  const known = typeof name === 'string' ? (PASSPHRASES[name] ?? name) : '';
  const of = typeof passphrase === 'string' ? passphrase : known;
  const assets: unknown = spec?.['assets'];
  const accounts = (Array.isArray(assets) ? (assets as unknown[]) : []).flatMap((asset) => {
    const distribution = isRecord(asset) && isRecord(asset['distribution']) ? asset['distribution'] : {};
    const { account } = distribution;
    return typeof account === 'string' ? [`${of} ${account}`] : [];
  });
  return [...new Set(accounts)];
}

const ageOrder = ({ metadata }: AnchorObject): string =>
  `${metadata.creationTimestamp ?? ''} ${metadata.uid ?? ''}`;

/**
 * The first of an Anchor's accounts that an older Anchor uses too, and that Anchor.
 * @param using the Anchors that use an account (of `accountsOf`)
 */
export function conflictOf(
  anchor: AnchorObject,
  using: (account: string) => readonly AnchorObject[],
): { readonly account: string; readonly other: AnchorObject } | undefined {
  for (const account of accountsOf(anchor)) {
    const other = using(account).find(
      (one) => one.metadata.uid !== anchor.metadata.uid && ageOrder(one) < ageOrder(anchor),
    );
    if (other) return { account: account.slice(account.lastIndexOf(' ') + 1), other };
  }
  return undefined;
}
