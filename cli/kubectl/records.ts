import { CapstanError } from '../../core/runtime/errors.ts';
import type { CheckCommandOptions } from '../check/command.ts';
import type { OutputFormat } from '../support/output.ts';
import { textAt } from './gather.ts';
import { runInside } from './inside.ts';
import { atPlace, findAnchor, type PlaceOptions } from './place.ts';

export interface RecordsOptions extends PlaceOptions {
  readonly output: OutputFormat;
  readonly write: (stream: 'stdout' | 'stderr', text: string) => void;
}

/** A value of an option, by the option's name; `true` is a flag. */
export type Filters = Readonly<Record<string, string | number | boolean | undefined>>;

export class NoAddress extends CapstanError {
  constructor(name: string) {
    super('no_address', `${name} has no spec.host that could be checked.`);
  }
}

/**
 * `capstan TABLE list|show` in a pod of the server, where the database's URL is. Options are `--name=value` in one word:
 * what the chart's policy for support staff lets through (helm/capstan/templates/support.yaml).
 */
export const recordsCommand = (
  table: 'transactions' | 'receipts',
  id: string | undefined,
  filters: Filters,
  output: OutputFormat,
): readonly string[] => [
  table,
  ...(id === undefined ? ['list'] : ['show', id]),
  ...Object.entries(filters).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return [value === true ? `--${name}` : `--${name}=${value}`];
  }),
  `--output=${output}`,
];

/** `kubectl anchor transactions|receipts`. @returns the exit code of the command in the pod */
export async function runRecords(
  table: 'transactions' | 'receipts',
  name: string,
  id: string | undefined,
  filters: Filters,
  options: RecordsOptions,
): Promise<number> {
  return atPlace(options, async (place) => {
    await findAnchor(place, name);
    const result = await runInside(place, name, recordsCommand(table, id, filters, options.output));
    options.write('stdout', result.stdout);
    options.write('stderr', result.stderr);
    return result.code;
  });
}

export interface CheckOptions extends RecordsOptions, Pick<CheckCommandOptions, 'ca' | 'asset' | 'fund'> {
  /** From a pod of the server instead of from here. */
  readonly inside: boolean;
}

/** `kubectl anchor check`: does it keep the SEPs, as a wallet sees it? */
export async function runAnchorCheck(name: string, options: CheckOptions): Promise<number> {
  return atPlace(options, async (place) => {
    const { spec } = await findAnchor(place, name);
    const host = textAt(spec, 'host');
    if (host === '') throw new NoAddress(name);
    const url = `https://${host}`;
    const { asset, fund, ca, output, write } = options;
    if (!options.inside) {
      const { checkCommand } = await import('../check/command.ts');
      return checkCommand(url, {
        output,
        write: (text) => write('stdout', text),
        ...(ca !== undefined && { ca }),
        ...(asset !== undefined && { asset }),
        ...(fund !== undefined && { fund }),
      });
    }
    const args = [
      'check',
      url,
      ...(asset === undefined ? [] : [`--asset=${asset}`]),
      ...(fund === false ? ['--no-fund'] : []),
      `--output=${output}`,
    ];
    const result = await runInside(place, name, args);
    write('stdout', result.stdout);
    write('stderr', result.stderr);
    return result.code;
  });
}
