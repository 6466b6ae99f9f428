import { performance } from 'node:perf_hooks';
import type { Answer, Client } from './client.ts';
import type { Asked, Judge } from './judge.ts';
import { pickOf, type Situation } from './parameters.ts';
import type { Truth } from './truth.ts';
import type { Sending } from './wire.ts';
import type { World } from './world.ts';

/** What every part of the fuzz works with. */
export interface Fuzz {
  readonly client: Client;
  readonly judge: Judge;
  readonly truth: Truth;
  readonly world: World;
  /** Whether something is down at this moment. */
  readonly isDown: () => boolean;
}

/** Sends one request and judges the answer. `reader`: whose transactions it may show. */
export async function ask(
  { client, judge, truth, isDown }: Fuzz,
  sending: Sending,
  about: Omit<Asked, 'sending' | 'isDown'> & { readonly reader?: string | undefined } = {},
): Promise<Answer> {
  const wasDown = isDown();
  const sentAt = performance.now();
  const answer = await client.send(sending);
  judge.hear({ ...about, sending, isDown: wasDown || isDown() }, answer);
  if (about.reader !== undefined) truth.hear(judge, { reader: about.reader, sentAt }, sending, answer);
  return answer;
}

/** Who acts, on what: chosen among all that is there now. */
export function situate(
  world: World,
  { customer: chosen, pick, stranger }: { customer: number; pick: number; stranger: number },
): Situation {
  const customer = pickOf(world.customers, chosen)!;
  const own = world.known.filter((known) => known.customer === customer).slice(-40);
  const isStranger = stranger === 0 || own.length === 0;
  const known = pickOf(isStranger ? world.known : own, pick)!;
  return { world, customer, known, visit: pickOf(world.visits, pick), link: pickOf(world.links, pick), pick };
}
