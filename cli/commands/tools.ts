import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ConfigUnreadable } from '../../core/runtime/config.ts';
import { end } from './options.ts';

interface CheckIntegrationFlags {
  readonly key?: string;
  readonly keyFile?: string;
}

/** Tools that look at, or prepare, what somebody else runs. */
export function addTools(program: Command): void {
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
