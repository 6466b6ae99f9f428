import { hookNames, hooks, type Hook } from '../integration/contract.ts';
import type { KnownDeclaration } from '../integration/declaration.ts';
import type { Anchor } from '../spec/anchor.ts';
import type { DeclaredHooks } from './document.ts';

/** What an integration declares, and what it lacks for the directions in which the anchor's assets move. */
export function declaredHooks(
  { assets }: Pick<Anchor, 'assets'>,
  { name, version, hooks: declared, unknownHooks }: KnownDeclaration,
): DeclaredHooks {
  const isOpen = {
    deposits: assets.some(({ deposit }) => deposit.enabled),
    withdrawals: assets.some(({ withdrawal }) => withdrawal.enabled),
  };
  const missing = hookNames.filter((hook) => {
    const { requiredFor }: Hook = hooks[hook];
    return requiredFor !== undefined && isOpen[requiredFor] && !declared.includes(hook);
  });
  return { name, version, hooks: [...declared], unknownHooks: [...unknownHooks], missing };
}
