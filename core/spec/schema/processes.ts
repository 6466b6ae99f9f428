import * as z from 'zod';
import { duration, resources } from './common.ts';
import { atomicList } from './kubernetes.ts';

const CIDR = /^[0-9a-fA-F:.]{2,45}\/\d{1,3}$/;
const ORIGIN = /^https:\/\/(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:\d{1,5})?$/;

const perMinute = (standard: number): z.ZodDefault<z.ZodInt> =>
  z.int().min(1).max(1_000_000).default(standard);

const rateLimits = z
  .strictObject({
    requests: perMinute(600).describe('All requests.'),
    authentications: perMinute(15).describe(
      'SEP-10 challenges and tokens; a sign-in is one of each. At 15 one address cannot use up what sign-ins may ask a Horizon of the SDF.',
    ),
    interactive: perMinute(60).describe('New deposits and withdrawals.'),
  })
  .prefault({})
  .describe("Most requests a minute that one client's address may make.");

export const server = z
  .strictObject({
    replicas: z.int().min(1).max(50).default(2).describe('Copies of the server.'),
    resources: resources.exactOptional(),
    autoscaling: z
      .strictObject({
        min: z.int().min(1).max(50).default(2).describe('Fewest copies.'),
        max: z.int().min(1).max(50).describe('Most copies.'),
        cpu: z.int().min(1).max(100).default(70).describe('Per cent of the requested CPU to keep to.'),
      })
      .exactOptional()
      .describe('Copies by load; replicas is then ignored.'),
    pageSize: z
      .int()
      .min(1)
      .max(200)
      .default(10)
      .describe('Transactions a page, where a wallet names no limit.'),
    trustedProxies: z
      .array(
        z
          .string()
          .max(49)
          .regex(CIDR, 'must be a range of addresses, for example 10.0.0.0/8')
          .describe('One range.'),
      )
      .max(32)
      .meta(atomicList)
      .default([])
      .describe('Addresses whose X-Forwarded-For is believed. None, if left out.'),
    frameAncestors: z
      .array(
        z
          .string()
          .max(253)
          .regex(ORIGIN, 'must be an origin without a path, for example https://wallet.example')
          .describe('One origin.'),
      )
      .max(32)
      .meta(atomicList)
      .default([])
      .describe("Origins that may show the customer's pages in a frame. None, if left out."),
    rateLimits,
  })
  .prefault({})
  .describe('The wallet-facing server.');

const poller = (standard: string) =>
  z
    .strictObject({
      interval: duration('1s', '1h').default(standard).describe('Time from one pass to the next.'),
      restartInterval: duration('1m', '1h')
        .default('10m')
        .describe('How often its CronJob starts it; it loops from one start to the next.'),
    })
    .prefault({});

export const workers = z
  .strictObject({
    poll: poller('10s').describe('poll-deposits: asks the integration whose money came in.'),
    trustlines: poller('60s').describe('check-trustlines: looks whether awaited trustlines exist.'),
    watcher: z
      .strictObject({
        replicas: z.int().min(1).max(3).default(2).describe('One works, the others stand by.'),
      })
      .prefault({})
      .describe('watch-transactions: watches the ledger and pays.'),
    resources: resources.exactOptional(),
  })
  .prefault({})
  .describe('The processes behind the server.');

export const deadlines = z
  .strictObject({
    userActionRequired: duration('10m', '90d')
      .default('3d')
      .describe(
        'How long a customer has to pay in; then the transaction expires. Told as user_action_required_by.',
      ),
    abandonedAfter: duration('10m', '30d')
      .default('1d')
      .describe('How long an incomplete transaction (its pages not finished) is kept open; then it expires.'),
    pendingTrust: duration('1h', '365d')
      .default('30d')
      .describe('How long a paid-in deposit waits for a trustline; then an operator or a refund decides.'),
    expiredGrace: duration('1h', '365d')
      .default('30d')
      .describe(
        'How long after its expiry the integration is still asked whether money came in for a deposit.',
      ),
  })
  .prefault({})
  .describe('How long a transaction may wait for the customer.');
