import { assetRules } from './rules/assets.ts';
import type { Rule } from './rules/rule.ts';
import { specRules } from './rules/spec.ts';

export type { Draft, Rule, Scope } from './rules/rule.ts';

/** Every rule between fields, in the order in which the design names its parts; names are unique within a scope. */
export const rules: readonly Rule[] = [...specRules, ...assetRules];
