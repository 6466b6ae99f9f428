import type { Command } from 'commander';
import { anchorNames, atPlace, type PlaceOptions } from './place.ts';

/** cobra's ShellCompDirectiveNoFileComp: names only, no files. */
const NO_FILES = ':4';

interface Typed {
  readonly place: PlaceOptions;
  /** What stands before the word that is being typed, without the options of the place. */
  readonly words: readonly string[];
  readonly last: string;
}

const PLACES: Readonly<Record<string, keyof PlaceOptions>> = {
  '-n': 'namespace',
  '--namespace': 'namespace',
  '--context': 'context',
  '--kubeconfig': 'kubeconfig',
};

/** @param args of kubectl_complete-anchor: all words behind `kubectl anchor`, the one that is being typed last, maybe empty */
export function typedSoFar(args: readonly string[]): Typed {
  const place: Record<string, string> = {};
  const words: string[] = [];
  for (let index = 0; index < args.length - 1; index += 1) {
    const [name = '', given] = (args[index] ?? '').split('=', 2);
    const field = PLACES[name];
    if (!field) words.push(args[index] ?? '');
    else if (given !== undefined) place[field] = given;
    else {
      index += 1;
      // The value itself is what is being typed: kubectl has no names for it from us.
      if (index < args.length - 1) place[field] = args[index] ?? '';
    }
  }
  return { place, words, last: args.at(-1) ?? '' };
}

/**
 * What may stand next, as kubectl asks it of `kubectl_complete-anchor`: commands, options, or the names of the Anchors.
 * Whatever fails (no cluster, no rights) completes to nothing.
 */
export async function completions(program: Command, args: readonly string[]): Promise<string> {
  const { place, words, last } = typedSoFar(args);
  const command = program.commands.find((one) => one.name() === words[0]);
  let found: readonly string[] = [];
  if (!command) found = words.length === 0 ? program.commands.map((one) => one.name()) : [];
  else if (last.startsWith('-')) found = command.options.flatMap(({ long }) => (long == null ? [] : [long]));
  else if (words.slice(1).filter((word) => !word.startsWith('-')).length === 0)
    found = await namesAt(place).catch(() => []);
  return [...found.filter((one) => one.startsWith(last)), NO_FILES, ''].join('\n');
}

async function namesAt(place: PlaceOptions): Promise<readonly string[]> {
  return atPlace(place, async ({ client, namespace }) =>
    (await anchorNames(client, namespace)).map(({ name }) => name).toSorted(),
  );
}
