import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ConfigUnreadable } from '../../core/runtime/config.ts';
import type { CheckCommandOptions } from '../check/command.ts';
import { end, outputOption } from './options.ts';

type CheckFlags = Omit<CheckCommandOptions, 'write'>;

interface CheckIntegrationFlags {
  readonly keyFile?: string;
}

/** Tools that look at, or prepare, what somebody else runs. */
export function addTools(program: Command): void {
  program
    .command('check <url>')
    .description('does a running anchor, ours or another, keep SEP-1, SEP-10 and SEP-24?')
    .option('--ca <file>', 'PEM of a further certificate authority to trust, as capstan dev makes one')
    .option('--asset <code>', 'the asset to try; default: the first that is enabled')
    .option('--no-fund', 'never create the account that logs in, also on a test network')
    .addOption(outputOption())
    .action(async (url: string, flags: CheckFlags) => {
      const { checkCommand } = await import('../check/command.ts');
      end(await checkCommand(url, { ...flags, write: (text) => void process.stdout.write(text) }));
    });

  program
    .command('check-integration <url>')
    .description('prove that an integration keeps its contract: signatures, idempotency, every declared hook')
    .option('--key-file <file>', 'file with its key (whsec_…); default: the variable CAPSTAN_INTEGRATION_KEY')
    .action(async (url: string, flags: CheckIntegrationFlags) => {
      const { runCheckIntegration } = await import('../check-integration.ts');
      end(await runCheckIntegration(url, flags.keyFile));
    });

  program
    .command('import-env <file>')
    .description('turn a django-polaris .env into an Anchor manifest and its Secret, on standard output')
    .action(async (file: string) => {
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        throw new ConfigUnreadable(file, error);
      });
      const { importEnv } = await import('../../core/spec/import-env.ts');
      process.stdout.write(importEnv(text));
      end(0);
    });
}
