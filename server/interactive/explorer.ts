import type { Network } from '../../core/spec/anchor.ts';

/** Public explorers of the networks that have one. */
const EXPLORERS: Readonly<Partial<Record<Network['name'], string>>> = {
  public: 'https://stellar.expert/explorer/public/tx/',
  testnet: 'https://stellar.expert/explorer/testnet/tx/',
};

/** Where anybody can look a transaction up; undefined for other networks, and for what is no hash. */
export function explorerLink({ name }: Pick<Network, 'name'>, hash: string): string | undefined {
  const base = EXPLORERS[name];
  return base !== undefined && /^[0-9a-f]{64}$/.test(hash) ? base + hash : undefined;
}
