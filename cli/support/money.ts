import { listFrozen } from '../../core/database/repositories/adoption.ts';
import { resumeMoney, suspendMoney } from '../../core/database/repositories/interventions.ts';
import { listSuspensions } from '../../core/database/repositories/support.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { actorOf, onAnchor, type ByOptions, type SupportOptions } from './open.ts';
import { print, tableText, timeText } from './output.ts';

/** The scope that stops everything. */
const ANCHOR = 'anchor';

export interface ScopeOptions extends ByOptions {
  readonly asset?: string;
}
export interface SuspendOptions extends ScopeOptions {
  readonly reason: string;
}

export class UnknownAsset extends CapstanError {
  constructor(asset: string, { assets }: Pick<Anchor, 'assets'>) {
    const ids = assets.map(({ id }) => id).join(', ');
    super('unknown_asset', `This anchor has no asset ${asset}. It has: ${ids}.`);
  }
}

export class NotSuspended extends CapstanError {
  constructor(scope: string) {
    super(
      'not_suspended',
      `Nobody has suspended ${scope}; "capstan suspensions" lists what is stopped, and why.`,
    );
  }
}

/** `anchor`, or an asset's id; a code alone serves where only one asset has it. @throws {UnknownAsset} */
export function scopeOf(anchor: Pick<Anchor, 'assets'>, asset: string | undefined): string {
  if (asset === undefined) return ANCHOR;
  const exact = anchor.assets.find(({ id }) => id === asset);
  if (exact) return exact.id;
  const [only, ...others] = anchor.assets.filter(({ code }) => code === asset);
  if (!only || others.length > 0) throw new UnknownAsset(asset, anchor);
  return only.id;
}

/** `capstan suspend`. Those on the ledger already settle; nothing new is sent. */
export async function runSuspend(options: SuspendOptions): Promise<number> {
  const actor = actorOf(options);
  const { reason } = options;
  await onAnchor(options, async ({ anchor, database }) => {
    const scope = scopeOf(anchor, options.asset);
    const isNew = await suspendMoney(database, scope, { actor, reason });
    const text = isNew
      ? `${scope} is suspended: no new payment is sent. Payments on their way settle. Undo: capstan resume\n`
      : `${scope} was suspended already.\n`;
    print(options.output, { json: { scope, suspended: true, isNew }, text });
  });
  return 0;
}

/** `capstan resume`. @throws {UnknownAsset | NotSuspended} */
export async function runResume(options: ScopeOptions): Promise<number> {
  const actor = actorOf(options);
  await onAnchor(options, async ({ anchor, database }) => {
    const scope = scopeOf(anchor, options.asset);
    if (!(await resumeMoney(database, scope, { actor }))) throw new NotSuspended(scope);
    const left = bySpec(anchor).map((one) => one.scope);
    const note = left.length > 0 ? ` The manifest still suspends ${left.join(', ')}.` : '';
    print(options.output, {
      json: { scope, suspended: false, bySpec: left },
      text: `${scope} is resumed: payments go on.${note}\n`,
    });
  });
  return 0;
}

interface Stopped {
  readonly scope: string;
  readonly by: string;
  readonly since: Date | null;
  readonly reason: string;
}

function bySpec({ payments, assets }: Pick<Anchor, 'payments' | 'assets'>): readonly Stopped[] {
  const scopes = [
    ...(payments.suspended ? [ANCHOR] : []),
    ...assets.filter(({ suspended }) => suspended).map(({ id }) => id),
  ];
  return scopes.map((scope) => ({ scope, by: 'manifest', since: null, reason: 'suspended: true' }));
}

/** `capstan suspensions`: by people, by limits, by the manifest, and because a journal is not complete. */
export async function runSuspensions(options: SupportOptions): Promise<number> {
  const stopped = await onAnchor(options, async ({ anchor, database }): Promise<readonly Stopped[]> => {
    const rows = await listSuspensions(database);
    const frozen = await listFrozen(database);
    return [
      ...bySpec(anchor),
      ...rows.map(({ scope, actor, since, reason }) => ({ scope, by: actor, since, reason })),
      ...frozen.map(({ account, since, reason }) => ({ scope: account, by: 'frozen', since, reason })),
    ];
  });
  print(options.output, {
    json: stopped,
    text: tableText(
      stopped.map(({ scope, by, since, reason }) => ({
        SCOPE: scope,
        BY: by,
        SINCE: timeText(since),
        REASON: reason,
      })),
      'Nothing is suspended: money flows.',
    ),
  });
  return 0;
}
