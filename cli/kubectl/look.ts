import { messageOf } from '../../core/runtime/errors.ts';
import { isForbidden } from '../../operator/kube/errors.ts';
import { print, type OutputFormat } from '../support/output.ts';
import { gather } from './gather.ts';
import { readInside } from './inside.ts';
import { atPlace, findAnchor, type Place, type PlaceOptions } from './place.ts';
import { statusOf, statusText, type Inside } from './status.ts';

export interface LookOptions extends PlaceOptions {
  readonly output: OutputFormat;
  /** False: no command is run in a pod. */
  readonly exec: boolean;
}

/** `kubectl anchor status`. */
export async function runAnchorStatus(name: string, options: LookOptions): Promise<number> {
  return atPlace(options, async (place) => {
    const anchor = await findAnchor(place, name);
    const [gathered, inside] = await Promise.all([
      gather(place, anchor),
      lookInside(place, name, options.exec),
    ]);
    const nowMs = Date.now();
    const view = statusOf(gathered, inside, nowMs);
    print(options.output, { json: view, text: statusText(view, nowMs) });
    return 0;
  });
}

/** What the server says; that it cannot be asked is a part of the answer, and no error. */
export async function lookInside(place: Place, name: string, isAllowed: boolean): Promise<Inside> {
  if (!isAllowed) return { unknown: '--no-exec was given.' };
  try {
    return { status: await readInside(place, name) };
  } catch (error) {
    const hint = isForbidden(error) ? ' Whoever needs it is given the right "create" on pods/exec.' : '';
    return { unknown: `${messageOf(error)}${hint}` };
  }
}
