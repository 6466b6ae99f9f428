import { Option, type Command } from 'commander';
import type { CreateOptions, FundOptions, TrustOptions } from '../accounts/commands.ts';
import { end } from './options.ts';

const networkOption = (): Option =>
  new Option('--network <network>', 'where').choices(['testnet', 'local']).default('testnet');
const horizonOption = (): Option =>
  new Option('--horizon <url>', 'another Horizon of that network than the usual one');

/** `capstan accounts`: accounts on networks whose money is play money. */
export function addAccounts(program: Command): void {
  const accounts = program.command('accounts').description('make accounts on testnet or the local ledger');

  accounts
    .command('create')
    .description(
      'make issuer, distribution account and trustline of an asset, and write their seeds to a Secret manifest',
    )
    .requiredOption('--asset <code>', 'the asset’s code, for example SRT')
    .addOption(networkOption())
    .addOption(horizonOption())
    .option('--supply <amount>', 'tokens for the distribution account', '1000000')
    .option('--secret <name>', 'name of the Secret; default: the asset’s code and "-keys"')
    .option(
      '--out <file>',
      'where to write the manifest, with mode 0600; default: the Secret’s name and ".yaml"',
    )
    .action(async (options: CreateOptions) => {
      const { createAccounts } = await import('../accounts/commands.ts');
      end(await createAccounts(options));
    });

  accounts
    .command('fund <account>')
    .description('create an account by friendbot')
    .addOption(networkOption())
    .addOption(horizonOption())
    .action(async (account: string, options: FundOptions) => {
      const { fundAccount } = await import('../accounts/commands.ts');
      end(await fundAccount(account, options));
    });

  accounts
    .command('trust')
    .description('add a trustline to an account whose seed is read from a file (or "-", standard input)')
    .requiredOption('--asset <code:issuer>', 'the asset')
    .requiredOption('--seed-file <file>', 'file with the account’s seed; seeds are never given as arguments')
    .addOption(networkOption())
    .addOption(horizonOption())
    .action(async (options: TrustOptions) => {
      const { trustAsset } = await import('../accounts/commands.ts');
      end(await trustAsset(options));
    });
}
