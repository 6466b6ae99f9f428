import type { BankMode } from './bank-proxy.ts';
import type { Fault, Hit } from './inject.ts';
import type { InjectedKind } from './kinds.ts';
import { sleep } from './stellar.ts';

type BankKind = Extract<InjectedKind, 'bankCrash' | 'bankRepeats' | 'bankHangs' | 'bankLies'>;

const HANGS: readonly BankMode[] = ['hangBefore', 'hangAfter', 'slow'];

/** What the integration does wrong. */
export const BANK_FAULTS: Readonly<Record<BankKind, Fault>> = {
  bankCrash: async ({ world }) => world.bank.child.signal('SIGKILL'),
  bankRepeats: (hit) => behave(hit, 'repeat'),
  bankHangs: (hit) => behave(hit, HANGS[Math.floor(hit.fault.degree * HANGS.length)] ?? 'slow'),
  bankLies: (hit) =>
    behave(hit, hit.fault.degree < 0.3 ? 'garbage' : hit.fault.degree < 0.5 ? 'failing' : 'lie'),
};

async function behave({ world, fault }: Hit, mode: BankMode): Promise<boolean> {
  const { proxy } = world.bank;
  const before = proxy.met;
  proxy.setMode(mode);
  await sleep(fault.durationMs);
  proxy.setMode('well');
  return proxy.met > before;
}
