import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ChannelsOptions } from '../accounts/channels.ts';
import type { CompleteOptions } from '../accounts/complete.ts';
import type { CreateOptions, FundOptions, TrustOptions } from '../accounts/commands.ts';
import { end, outputOption } from './options.ts';
import { withConfig } from './roles.ts';

const MAX_CHANNELS = 256;

function channelCount(text: string): number {
  const value = Number(text);
  if (!/^\d{1,3}$/.test(text) || value > MAX_CHANNELS) {
    throw new InvalidArgumentError(`Give a whole number from 0 to ${MAX_CHANNELS}.`);
  }
  return value;
}

const networkOption = (): Option =>
  new Option('--network <network>', 'where').choices(['testnet', 'local']).default('testnet');
const horizonOption = (): Option =>
  new Option('--horizon <url>', 'another Horizon of that network than the usual one');

/** `capstan accounts`: accounts on networks whose money is play money, and the channels of any anchor. */
export function addAccounts(program: Command): void {
  const accounts = program
    .command('accounts')
    .description('make accounts on testnet or the local ledger; keep an anchor’s channels');

  addSetup(accounts);

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

  withConfig(accounts.command('channels'))
    .description(
      'list the channel accounts of an anchor; with --count, make or merge back until there are so many',
    )
    .option('--count <number>', 'channels for each distribution account; signs with its seed', channelCount)
    .addOption(outputOption())
    .action(async (options: ChannelsOptions) => {
      const { runChannels } = await import('../accounts/channels.ts');
      end(await runChannels(options));
    });
}

/** Those that make keys and accounts for an anchor. */
function addSetup(accounts: Command): void {
  accounts
    .command('create')
    .description(
      'make issuer, distribution account and trustline of an asset, and write their seeds to a Secret manifest',
    )
    .requiredOption('--asset <code>', 'the asset’s code, for example SRT')
    .addOption(networkOption())
    .addOption(horizonOption())
    .option('--supply <amount>', 'tokens for the distribution account', '1000000')
    .option(
      '--home-domain <domain>',
      'the domain at which wallets find the anchor (its spec.host); set on the issuer',
    )
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
    .command('complete')
    .description(
      'make the keys and accounts that an Anchor manifest leaves out, and write it whole, with their Secret, for "kubectl apply"',
    )
    .requiredOption('-f, --file <file>', 'the manifest of one Anchor on testnet or the local ledger, or "-"')
    .requiredOption(
      '--out <file>',
      'where to write it, with mode 0600; a file that is there goes on with its keys; "-" prints it, into a pipe',
    )
    .option('--horizon <url>', 'a Horizon to make the accounts by, if not the manifest’s')
    .action(async (options: CompleteOptions) => {
      const { completeManifest } = await import('../accounts/complete.ts');
      end(await completeManifest(options));
    });
}
