import type { Patch } from './planted.ts';

/**
 * Time that no run has, made shorter in the copy of the sources that is run: what nobody claims may be taken back after days (the
 * spec allows no less than one) and is looked for once a minute; a withdrawal expires when what is recorded was asked for since, once a
 * minute, too, and until then a restored dump may take it away. A day becomes a second, a minute two.
 */
export const HASTE: readonly Patch[] = [
  {
    file: 'core/payments/claimable.ts',
    find: 'Math.ceil(anchor.payments.claimableBalances.reclaimAfterMs / 1000)',
    replace: 'Math.ceil(anchor.payments.claimableBalances.reclaimAfterMs / 86_400_000)',
  },
  {
    file: 'workers/watch-transactions/reclaim.ts',
    find: 'const LOOK_MS = 60_000;',
    replace: 'const LOOK_MS = 2_000;',
  },
  {
    file: 'workers/watch-transactions/recorded.ts',
    find: 'const BELIEVED_MS = 60_000;',
    replace: 'const BELIEVED_MS = 2_000;',
  },
];

/** The upkeep of channels is looked after once a minute, too: of use where channels are emptied and merged (test/crash). */
export const UPKEEP_HASTE: Patch = {
  file: 'workers/watch-transactions/channels.ts',
  find: 'const LOOK_MS = 60_000;',
  replace: 'const LOOK_MS = 2_000;',
};

/** What a killed process held is free again after ten seconds, not after a minute: of use where nothing but kills is played. */
export const LEASE_HASTE: readonly Patch[] = [
  { file: 'core/payments/settle.ts', held: '60_000' },
  { file: 'workers/watch-transactions/effect.ts', held: '60_000' },
  { file: 'workers/watch-transactions/callbacks.ts', held: '30_000' },
].map(({ file, held }) => ({
  file,
  find: `const LEASE_MS = ${held};`,
  replace: 'const LEASE_MS = 10_000;',
}));
