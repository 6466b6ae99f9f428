import { readFileSync } from 'node:fs';

export interface BankConfig {
  readonly port: number;
  /** The address to listen on; absent: all. */
  readonly host?: string;
  readonly key: string;
  /** The folder of the books. */
  readonly dataFolder: string;
  /** A transfer that is expected for so long counts as received; absent: a person presses the button. */
  readonly autoReceiveMs?: number;
  /** How long a payout is under way; 0: it is done at once. */
  readonly payoutDelayMs: number;
  /** Asked (with the user name "bank") for the page and its API; absent: whoever reaches the port plays the bank. */
  readonly password?: string;
}

/** A variable is missing or wrong; the message says which and what to write. */
export class ConfigError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigError} */
export function readConfig(environment: Environment): BankConfig {
  const autoReceiveMs = readNumber(environment, 'BANK_AUTO_RECEIVE_MS');
  const { HOST: host, BANK_PASSWORD: password } = environment;
  return {
    port: readNumber(environment, 'PORT', 65_535) ?? 8080,
    key: readKey(environment),
    dataFolder: environment['BANK_DATA'] || 'bank-data',
    payoutDelayMs: readNumber(environment, 'BANK_PAYOUT_DELAY_MS') ?? 0,
    ...(autoReceiveMs === undefined ? {} : { autoReceiveMs }),
    ...(host ? { host } : {}),
    ...(password ? { password } : {}),
  };
}

function readKey(environment: Environment): string {
  const { CAPSTAN_INTEGRATION_KEY: key, CAPSTAN_INTEGRATION_KEY_FILE: file } = environment;
  if (key) return key;
  if (!file)
    throw new ConfigError('Set CAPSTAN_INTEGRATION_KEY, or CAPSTAN_INTEGRATION_KEY_FILE to a file with it.');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`CAPSTAN_INTEGRATION_KEY_FILE names a file that cannot be read: ${file}`, {
      cause: error,
    });
  }
}

function readNumber(environment: Environment, name: string, max = 86_400_000): number | undefined {
  const text = environment[name];
  if (!text) return undefined;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value > max)
    throw new ConfigError(`${name} must be a whole number up to ${max}.`);
  return value;
}
