import { readFile } from 'node:fs/promises';
import { CapstanError } from '../../core/runtime/errors.ts';
import { checkAnchor } from './check.ts';
import { formatResults, type Format } from './format.ts';

export interface CheckCommandOptions {
  /** A file with the PEM of a further certificate authority. */
  readonly ca?: string;
  /** False (--no-fund): the account that logs in is never created, also on a test network. */
  readonly fund?: boolean;
  /** Code of the asset to try. */
  readonly asset?: string;
  readonly output: Format;
  readonly write: (text: string) => void;
}

/** The file with the certificate authority cannot be read. */
export class AuthorityUnreadable extends CapstanError {
  constructor(file: string, cause: unknown) {
    super(
      'authority_unreadable',
      `The certificate authority ${file} cannot be read. Give the path of a PEM file.`,
      { cause },
    );
  }
}

/** `capstan check URL`. @returns the exit code: 0 if no rule is broken, else 1 */
export async function checkCommand(url: string, options: CheckCommandOptions): Promise<number> {
  const { ca: file, fund, asset, output, write } = options;
  const ca = file === undefined ? undefined : await readAuthority(file);
  const summary = await checkAnchor(url, {
    ...(ca !== undefined && { ca }),
    ...(fund !== undefined && { fund }),
    ...(asset !== undefined && { assetCode: asset }),
  });
  write(formatResults(summary, output));
  return summary.isKept ? 0 : 1;
}

async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new AuthorityUnreadable(file, error);
  }
}
