import { readFile } from 'node:fs/promises';
import { ConfigUnreadable } from '../core/runtime/config.ts';
import { CapstanError } from '../core/runtime/errors.ts';
import { checkIntegration, type CheckResult } from '../integration/check.ts';

export class NoIntegrationKey extends CapstanError {
  constructor() {
    super(
      'no_integration_key',
      'The integration’s key is needed to sign calls: give --key-file, or set CAPSTAN_INTEGRATION_KEY.',
    );
  }
}

const MARKS: Readonly<Record<CheckResult['status'], string>> = { ok: 'ok  ', fail: 'FAIL', skip: 'skip' };

/** `capstan check-integration`: prints each result as it comes; 0 when nothing failed. */
export async function runCheckIntegration(url: string, keyFile: string | undefined): Promise<number> {
  const results = await checkIntegration(url, await readKey(keyFile), {
    onResult: ({ status, name, hook, detail }) => {
      const where = hook === undefined ? '' : `${hook}: `;
      process.stdout.write(
        `${MARKS[status]}  ${where}${name}${detail === undefined ? '' : `\n      ${detail}`}\n`,
      );
    },
  });
  const failed = results.filter(({ status }) => status === 'fail').length;
  process.stdout.write(
    `\n${results.length - failed} of ${results.length} hold${failed > 0 ? `, ${failed} fail` : ''}\n`,
  );
  return failed > 0 ? 1 : 0;
}

async function readKey(file: string | undefined): Promise<string> {
  if (file !== undefined) {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw new ConfigUnreadable(file, error);
    });
    return text.trim();
  }
  const key = process.env['CAPSTAN_INTEGRATION_KEY'];
  if (!key) throw new NoIntegrationKey();
  return key;
}
