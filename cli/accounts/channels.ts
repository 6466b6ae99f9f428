import { openDatabase, requireSchema } from '../../core/database/database.ts';
import { isUpkeepPending } from '../../core/database/repositories/submissions.ts';
import { signerFromSeed } from '../../core/keys/ed25519.ts';
import { balanceOf } from '../../core/ledger/accounts.ts';
import { createHorizon } from '../../core/ledger/horizon.ts';
import { channelsOf } from '../../core/payments/channels.ts';
import { distributionAccounts, type PaymentContext } from '../../core/payments/context.ts';
import { keepChannels } from '../../core/payments/keep-channels.ts';
import { takeSubmissions } from '../../core/payments/settle.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { loadAnchorConfig, type AnchorConfig } from '../../core/runtime/config.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { createLog, type Log } from '../../core/runtime/log.ts';
import { readSeed } from '../../core/spec/secrets.ts';
import { formatAmount } from '../../core/transaction/amount.ts';
import { SecretNotConfigured, type RoleOptions } from '../roles/process.ts';

export interface ChannelsOptions extends RoleOptions {
  /** Absent: only list. */
  readonly count?: number;
  readonly output: 'table' | 'json';
}

/** The channels could not be brought to the number asked for. */
export class ChannelsNotKept extends CapstanError {
  constructor(account: string, why: string) {
    super(
      'channels_not_kept',
      `The channels of ${account} are not as asked for: ${why}. What was done stays; run the command again.`,
    );
  }
}

export interface ListedChannels {
  readonly account: string;
  readonly channels: readonly {
    readonly account: string;
    /** Decimal. */
    readonly xlm: string;
    readonly sequence: string;
  }[];
}

const STEP_MS = 500;
/** Merges of 256 channels take some 13 steps of a ledger each. */
const MOST_MS = 300_000;

/**
 * `capstan accounts channels`: lists the channels of every distribution account; with `--count` creates, tops up and
 * retires until there are so many, by the watcher's own plan and journal, and settles what it sent itself.
 */
export async function runChannels(options: ChannelsOptions): Promise<number> {
  const log = createLog({ name: 'accounts', level: options.logLevel, destination: process.stderr });
  const config = await loadAnchorConfig({ file: options.config, secretsDir: options.secrets, log });
  const { anchor } = config;
  const { passphrase, horizon: urls } = anchor.network;
  const horizon = createHorizon({ urls, passphrase, clock: systemClock, log });
  try {
    const { count } = options;
    if (count !== undefined) {
      const shared = { anchor, horizon, clock: systemClock, log, actor: 'accounts channels' };
      await withMoney(config, log, async (money) => {
        for (const account of distributionAccounts(anchor))
          await reach({ ...shared, ...money }, account, count);
      });
      if (count !== anchor.payments.channels)
        log.warn(
          { spec: anchor.payments.channels },
          'the spec wants another number of channels: a running watcher will bring it back within a minute',
        );
    }
    const listed = await Promise.all(
      distributionAccounts(anchor).map(async (account) => ({
        account,
        channels: channelsOf(await horizon.accountsWithSigner(account), account, anchor).map((channel) => ({
          account: channel.id,
          xlm: formatAmount(balanceOf(channel, 'native')?.balance ?? 0n),
          sequence: String(channel.sequence),
        })),
      })),
    );
    process.stdout.write(options.output === 'json' ? `${JSON.stringify(listed, null, 2)}\n` : table(listed));
    return 0;
  } finally {
    await horizon.close();
  }
}

/** Seeds and journal: only read and opened when something is to be signed. */
async function withMoney(
  config: AnchorConfig,
  log: Log,
  work: (money: Pick<PaymentContext, 'database' | 'signers'>) => Promise<void>,
): Promise<void> {
  const { refs } = config;
  if (!refs.databaseUrl) throw new SecretNotConfigured('spec.database');
  const signers = new Map(
    await Promise.all(
      [...refs.distributionSeeds].map(
        async ([account, ref]) =>
          [account, signerFromSeed(readSeed(await config.readSecret(ref), account, ref))] as const,
      ),
    ),
  );
  const database = openDatabase({
    url: await config.readSecret(refs.databaseUrl),
    poolSize: 5,
    applicationName: 'capstan accounts',
    onPoolError: (error) => log.warn({ err: error }, 'a database connection was lost'),
  });
  try {
    await requireSchema(database);
    await work({ database, signers });
  } finally {
    await database.destroy();
  }
}

/**
 * Step by step until the plan is empty and the journal has what came of it; settles what is due meanwhile, so that no watcher has to run.
 * @throws {ChannelsNotKept}
 */
export async function reach(context: PaymentContext, account: string, wanted: number): Promise<void> {
  const giveUpAt = context.clock.monotonic() + MOST_MS;
  while (context.clock.monotonic() < giveUpAt) {
    const upkeep = await keepChannels(context, account, wanted);
    if (upkeep === 'done' && !(await isUpkeepPending(context.database))) return;
    if (upkeep === 'short') throw new ChannelsNotKept(account, 'it lacks XLM');
    if (upkeep === 'suspended') throw new ChannelsNotKept(account, 'payments are suspended');
    const jobs = await takeSubmissions(context, 100);
    await Promise.all(jobs.map((job) => job()));
    await context.clock.sleep(STEP_MS);
  }
  throw new ChannelsNotKept(account, `the ledger did not get there within ${MOST_MS / 1000} s`);
}

function table(listed: readonly ListedChannels[]): string {
  return listed
    .map(({ account, channels }) => {
      const title = `${account}: ${channels.length} ${channels.length === 1 ? 'channel' : 'channels'}\n`;
      const width = Math.max(...channels.map(({ xlm }) => xlm.length), 0);
      const rows = channels.map(
        (channel) =>
          `  ${channel.account}  ${channel.xlm.padStart(width)} XLM  sequence ${channel.sequence}\n`,
      );
      return [title, ...rows].join('');
    })
    .join('\n');
}
