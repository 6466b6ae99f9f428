import type { Path } from '../problems.ts';
import type { AnchorSpec } from '../schema/anchor.ts';
import type { AssetSpec, DirectionSpec } from '../schema/assets.ts';

/**
 * The sections of a spec that fit the schema by themselves, so that rules can run while other sections are still
 * wrong. `assets` keeps its indexes and has holes.
 */
export interface Sections extends Omit<AnchorSpec, 'assets'> {
  readonly assets: readonly (AssetSpec | undefined)[];
}
export type Draft = Partial<Sections>;

/** What `self` is in a rule: the whole spec, or each asset, or each of its two directions. */
export type Scope = 'spec' | 'spec.assets[*]' | 'spec.assets[*].deposit' | 'spec.assets[*].withdrawal';

/** The same rule for the API server, in CEL; `self` is the scope, its defaults filled in. */
export interface Cel {
  /** True where the rule holds, and never an evaluation error, whatever the schema alone has against the fields. */
  readonly rule: string;
  /** The field to look at as `.a.b`, seen from the scope (the server takes no index); the scope itself if left out. */
  readonly fieldPath?: string;
}

/** A rule between fields: pure, named, said in one sentence, and written twice: for this process and for the server. */
type RuleOf<Self> = RuleBase<Self> & {
  /** One, or one for each field that it may be about. `inProcessOnly`: CEL cannot say it (it needs a parser). */
  readonly cel: Cel | readonly Cel[] | 'inProcessOnly';
};

interface RuleBase<Self> {
  /** Stable: tests and the CRD's rules are keyed by it. */
  readonly name: string;
  /** What is wrong and what to do: one sentence, the same from the API server and from `capstan`. */
  readonly message: string;
  readonly holds: (self: Self) => boolean;
  /** The field to look at, seen from the scope; the scope itself if left out. Called only when broken. */
  readonly at?: (self: Self) => Path;
  /** More about this one case, appended to the message. Must not repeat a secret. */
  readonly detail?: (self: Self) => string;
}

/** A rule whose types are sealed in; `violations` are paths from the top of the document. */
export interface Rule {
  readonly name: string;
  readonly scope: Scope;
  readonly message: string;
  /** Empty where CEL cannot say it. */
  readonly cel: readonly Cel[];
  readonly violations: (draft: Draft) => readonly { readonly path: Path; readonly message: string }[];
}

/** A rule of the whole spec, which reads only the sections that it needs and waits until those are right. */
export function specRule<Needs extends keyof Sections>(
  needs: readonly Needs[],
  rule: RuleOf<Pick<Sections, Needs>>,
): Rule {
  return sealed('spec', rule, (draft) => (hasAll(draft, needs) ? [{ self: draft, path: ['spec'] }] : []));
}

/** A rule of each asset. */
export function assetRule(rule: RuleOf<AssetSpec>): Rule {
  return sealed('spec.assets[*]', rule, (draft) =>
    (draft.assets ?? []).flatMap((self, index) => (self ? [{ self, path: ['spec', 'assets', index] }] : [])),
  );
}

/** A rule of each direction: one entry for deposits, one for withdrawals. */
export function directionRules(rule: RuleOf<DirectionSpec>): readonly Rule[] {
  return (['deposit', 'withdrawal'] as const).map((direction) =>
    sealed(`spec.assets[*].${direction}`, rule, (draft) =>
      (draft.assets ?? []).flatMap((asset, index) =>
        asset ? [{ self: asset[direction], path: ['spec', 'assets', index, direction] }] : [],
      ),
    ),
  );
}

function sealed<Self>(
  scope: Scope,
  rule: RuleOf<Self>,
  selves: (draft: Draft) => readonly { readonly self: Self; readonly path: Path }[],
): Rule {
  return {
    name: rule.name,
    scope,
    message: rule.message,
    cel: rule.cel === 'inProcessOnly' ? [] : [rule.cel].flat(),
    violations: (draft) =>
      selves(draft)
        .filter(({ self }) => !rule.holds(self))
        .map(({ self, path }) => ({
          path: [...path, ...(rule.at?.(self) ?? [])],
          message: rule.detail ? `${rule.message} ${rule.detail(self)}` : rule.message,
        })),
  };
}

function hasAll<Needs extends keyof Sections>(
  draft: Draft,
  needs: readonly Needs[],
): draft is Draft & Pick<Sections, Needs> {
  return needs.every((section) => Object.hasOwn(draft, section));
}
