import { eventually } from '../../support/eventually.ts';
import { describeAnchor, kubectl, type RealAnchor } from './fixtures.ts';
import { getObject } from './objects.ts';

/** What people see of an Anchor when something is wrong with it: its conditions and its Events. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export async function conditionOf(anchor: RealAnchor, type: string): Promise<Condition | undefined> {
  const { status } = await getObject(anchor, 'Anchor', 'harbor');
  return status?.conditions?.find((one) => one.type === type);
}

/** Looks every quarter of a second until a condition has this reason and, if asked for, a message like this. */
export async function untilCondition(
  anchor: RealAnchor,
  type: string,
  reason: string,
  message = /^/,
  withinMs = 120_000,
): Promise<Condition> {
  const isSo = async (): Promise<Condition | false> => {
    const found = await conditionOf(anchor, type);
    return found?.reason === reason && message.test(found.message) && found;
  };
  try {
    return await eventually(`${type} is ${reason}, ${String(message)}`, isSo, withinMs, 250);
  } catch (error) {
    throw new Error(`${String(error)}\n${await describeAnchor(anchor)}`, { cause: error });
  }
}

interface Event {
  readonly reason: string;
  readonly note?: string;
}

/** The Warnings that the operator wrote about the Anchor, as `reason: note`. */
export async function warningsOf(anchor: RealAnchor): Promise<readonly string[]> {
  const selector = 'type=Warning,regarding.kind=Anchor,regarding.name=harbor';
  const what = ['get', 'events.events.k8s.io', '--field-selector', selector, '--output', 'json'];
  const { items } = JSON.parse(await kubectl(anchor, what)) as { items: readonly Event[] };
  return items.map(({ reason, note = '' }) => `${reason}: ${note}`);
}

/** Sets fields of the spec, as `kubectl patch` does; null takes one away. */
export async function patchSpec(anchor: RealAnchor, spec: object): Promise<void> {
  await kubectl(anchor, ['patch', 'anchor/harbor', '--type=merge', '--patch', JSON.stringify({ spec })]);
}
