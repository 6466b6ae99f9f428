import { parseArgs } from 'node:util';
import { WalletError } from './errors.ts';
import { runWallet, type WalletOptions, type WalletResult, type WalletStep } from './wallet.ts';

const USAGE = `node examples/wallet/main.ts --home-domain HOST[:PORT] --horizon URL --passphrase TEXT [options]

Deposits and withdraws at an anchor, as a customer's wallet with a new account would. Trust a local certificate authority by
NODE_EXTRA_CA_CERTS. Each flag may come from the environment: WALLET_HOME_DOMAIN, WALLET_HORIZON and so on.

  --home-domain   where https://…/.well-known/stellar.toml is
  --horizon       the network's Horizon, which has a friendbot
  --passphrase    the network's passphrase
  --asset         code of the asset (SRT)
  --amount        what the customer gives to the bank (100)
  --withdraw      what is withdrawn (all that the deposit paid out)
  --bank          URL of the example bank; without it somebody else has to book the transfer
  --bank-password of the bank's user "bank", if it has one
  --poll          milliseconds between polls (500)
  --timeout       seconds to wait for each status (120)
  --started-at    milliseconds since the epoch: the time told at the end counts from here
  --json          the steps on standard error, one line of JSON on standard output
`;
const FLAGS = {
  'home-domain': { type: 'string' },
  horizon: { type: 'string' },
  passphrase: { type: 'string' },
  asset: { type: 'string', default: 'SRT' },
  amount: { type: 'string' },
  withdraw: { type: 'string' },
  bank: { type: 'string' },
  'bank-password': { type: 'string' },
  poll: { type: 'string' },
  timeout: { type: 'string' },
  'started-at': { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;
/** sysexits(3): wrong usage. */
const USAGE_ERROR = 64;

process.exitCode = await main(process.argv.slice(2), process.env);

async function main(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { options, isJson, startedAt, problem } = read(args, environment);
  if (!options) {
    process.stderr.write(`${problem ?? ''}${USAGE}`);
    return problem === undefined ? 0 : USAGE_ERROR;
  }
  const write = (text: string): void => void process.stdout.write(text);
  // With --json standard output is for a program; a person still sees the steps.
  const tell = isJson ? (text: string): void => void process.stderr.write(text) : write;
  const secondsSoFar = (): number => Math.round((Date.now() - startedAt) / 100) / 10;
  let secondsToDeposit = 0;
  try {
    const result = await runWallet({
      ...options,
      onStep: (step) => {
        if (step.name === 'deposit paid out') secondsToDeposit = secondsSoFar();
        tell(lineOf(step, Date.now() - startedAt));
      },
    });
    const seconds = secondsSoFar();
    write(
      isJson ? `${JSON.stringify(jsonOf(result, seconds, secondsToDeposit))}\n` : summaryOf(result, seconds),
    );
    return 0;
  } catch (error) {
    const code = error instanceof WalletError ? error.code : 'unforeseen';
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`error (${code}): ${message}\n`);
    if (code === 'unforeseen' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    if (isJson) write(`${JSON.stringify({ ok: false, code, message })}\n`);
    return 1;
  }
}

function jsonOf(
  { deposit, withdrawal, account, balances }: WalletResult,
  seconds: number,
  secondsToDeposit: number,
): object {
  return { deposit, withdrawal, seconds, secondsToDeposit, account, balances };
}

interface Read {
  /** Absent: nothing is to be done, see `problem`. */
  readonly options?: WalletOptions;
  readonly isJson: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly problem?: string;
}

function read(args: string[], environment: NodeJS.ProcessEnv): Read {
  const nothing = { isJson: false, startedAt: Date.now() };
  try {
    const { values } = parseArgs({ args, options: FLAGS });
    if (values.help) return nothing;
    const { 'started-at': startedAt, json: isJson } = values;
    return {
      options: optionsOf(
        (name) => values[name] ?? environment[`WALLET_${name.toUpperCase().replaceAll('-', '_')}`],
      ),
      isJson,
      startedAt: numberOf('started-at', startedAt) ?? Date.now(),
    };
  } catch (error) {
    return { ...nothing, problem: `${error instanceof Error ? error.message : String(error)}\n\n` };
  }
}

type Name = Exclude<keyof typeof FLAGS, 'json' | 'help'>;

function optionsOf(find: (name: Name) => string | undefined): WalletOptions {
  const need = (name: Name): string => {
    const value = find(name);
    if (!value) throw new Error(`--${name} is missing.`);
    return value;
  };
  const [bank, password, amount, withdrawAmount] = [
    find('bank'),
    find('bank-password'),
    find('amount'),
    find('withdraw'),
  ];
  const [pollMs, timeoutSeconds] = [numberOf('poll', find('poll')), numberOf('timeout', find('timeout'))];
  return {
    homeDomain: need('home-domain'),
    horizonUrl: need('horizon'),
    passphrase: need('passphrase'),
    assetCode: need('asset'),
    ...(amount && { amount }),
    ...(withdrawAmount && { withdrawAmount }),
    ...(bank && { bank: { url: bank, ...(password && { password }) } }),
    ...(pollMs !== undefined && { pollMs }),
    ...(timeoutSeconds !== undefined && { timeoutMs: timeoutSeconds * 1000 }),
  };
}

function numberOf(name: Name, text: string | undefined): number | undefined {
  if (!text) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new Error(`--${name} wants a number above zero, not "${text}".`);
  return value;
}

function lineOf({ name, detail, hash }: WalletStep, elapsedMs: number): string {
  const seconds = (elapsedMs / 1000).toFixed(1).padStart(6);
  return `${[`${seconds} s  ${name.padEnd(18)}`, detail, hash && `ledger ${hash}`].filter(Boolean).join('  ')}\n`;
}

function summaryOf({ deposit, withdrawal, balances }: WalletResult, seconds: number): string {
  const table = (title: string, held: Readonly<Record<string, string>>): string =>
    `  ${title.padEnd(23)}${Object.entries(held)
      .map(([code, balance]) => `${balance} ${code === 'native' ? 'XLM' : code}`)
      .join('   ')}`;
  return [
    '',
    `  deposit              ${deposit.amount_in} in, ${deposit.amount_out} out, ${deposit.status}`,
    `  withdrawal           ${withdrawal.amount_in} in, ${withdrawal.amount_out} out, ${withdrawal.status}`,
    table('before', balances.before),
    table('after the deposit', balances.deposited),
    table('after the withdrawal', balances.after),
    `  ${seconds} s from start to end`,
    '',
  ].join('\n');
}
