import { createInterface } from 'node:readline/promises';
import { CapstanError } from '../../core/runtime/errors.ts';

/** Those of a command that cannot be taken back. */
export interface ConfirmOptions {
  readonly yes?: boolean;
}

export class ConfirmationNeeded extends CapstanError {
  constructor(what: string) {
    super(
      'confirmation_option_needed',
      `${what} Nobody is at a terminal to confirm it: say --yes. Nothing was done.`,
    );
  }
}

export class NotConfirmed extends CapstanError {
  constructor() {
    super('not_confirmed', 'Nothing was done.');
  }
}

/**
 * Asks on the terminal whether to go on; the question goes to standard error, since standard output is the command's alone.
 *
 * @param what a sentence that says what will be done
 * @throws {ConfirmationNeeded | NotConfirmed}
 */
export async function confirm(what: string, { yes = false }: ConfirmOptions): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new ConfirmationNeeded(what);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${what}\nThis cannot be taken back. Go on? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new NotConfirmed();
  } finally {
    terminal.close();
  }
}
