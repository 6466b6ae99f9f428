import { randomBytes, randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { findTransaction, insertTransaction } from '../../../core/database/repositories/transactions.ts';
import type { NewTransaction } from '../../../core/database/repositories/transactions.ts';
import { createIntegrationClient, type IntegrationClient } from '../../../core/integration/client.ts';
import type { HookName } from '../../../core/integration/contract.ts';
import {
  declaring,
  listen,
  newKey,
  answerJson,
  type Loopback,
} from '../../../core/integration/testing/loopback.ts';
import { SessionKeyRing } from '../../../core/keys/jwt.ts';
import { systemClock, type Clock } from '../../../core/runtime/clock.ts';
import { createLog } from '../../../core/runtime/log.ts';
import type { Anchor } from '../../../core/spec/anchor.ts';
import type { Loose } from '../../../core/spec/test-manifest.ts';
import type { Transaction } from '../../../core/transaction/transaction.ts';
import { anchorOf } from '../../testing/anchor.ts';
import { serve, type ServedApp } from '../../testing/serve.ts';
import { createLinks, type PageLinks } from '../links.ts';
import { routesOf } from '../routes.ts';
import { createShell, type Shell } from '../shell.ts';
import { renderErrorFor } from '../errors.ts';
import type { InteractiveDeps } from '../deps.ts';
import { Browser } from './browser.ts';

/** What a hook of the test's integration answers; a number is an HTTP status. */
export type Answers = Partial<Record<HookName, (request: Loose) => unknown>>;

/** What a test looks at in a call. */
export interface CallBody {
  readonly hook: HookName;
  readonly transaction: Readonly<Record<string, unknown>>;
  readonly values?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly returnUrl: string;
}

/** The pages over real HTTP, with a real database and a real integration beside them. */
export interface Stage {
  readonly anchor: Anchor;
  readonly db: TestDatabase;
  readonly app: ServedApp;
  readonly shell: Shell;
  readonly links: PageLinks;
  readonly keys: SessionKeyRing;
  readonly integration: IntegrationClient;
  /** What the integration answers; a test may change it. */
  answers: Answers;
  /** The calls that the integration got, without the declaration. */
  readonly calls: { readonly hook: string; readonly key: string; readonly body: CallBody }[];
  create(changes?: Partial<NewTransaction>): Promise<Transaction>;
  find(id: string): Promise<Transaction>;
  browser(): Browser;
  /** A browser that has opened the transaction. */
  enter(transaction: Transaction, options?: { query?: string }): Promise<Browser>;
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly bend?: (spec: Loose) => void;
  readonly hooks?: readonly HookName[];
  readonly answers?: Answers;
  readonly clock?: Clock;
  readonly deps?: Partial<InteractiveDeps>;
  readonly requestTimeoutMs?: number;
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { hooks = [], clock = systemClock } = options;
  const anchor = anchorOf(options.bend);
  const db = await createTestDatabase();
  const calls: Stage['calls'][number][] = [];
  const loopback: Loopback = await listen(
    declaring(hooks, (seen, response) => {
      const body = JSON.parse(seen.body) as CallBody;
      calls.push({ hook: body.hook, key: String(seen.headers['webhook-id']), body });
      const answer: unknown = stage.answers[body.hook]?.(body);
      if (typeof answer === 'number') answerJson(response, {}, answer);
      else answerJson(response, answer ?? {});
    }),
  );
  const integration = createIntegrationClient({
    baseUrl: loopback.url,
    key: newKey(),
    clock: systemClock,
    attempts: 1,
    circuit: { threshold: 1_000 },
  });
  const keys = new SessionKeyRing([{ kid: 'k', secret: randomBytes(32) }]);
  const random = (count: number): Uint8Array => randomBytes(count);
  const links = createLinks({ anchor, keys, clock, random });
  const { database } = db;
  const log = createLog({ name: 'server', level: 'silent' });
  const deps = { anchor, database, integration, keys, links, clock, random, log, ...options.deps };
  const shell = createShell(deps);
  const { requestTimeoutMs } = options;
  const served = await serve([routesOf(shell)], {
    renderError: renderErrorFor(shell),
    ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
  });
  const stage: Stage = {
    anchor,
    db,
    app: served,
    shell,
    links,
    keys,
    integration,
    answers: options.answers ?? {},
    calls,
    create: (changes) => create(stage, changes),
    async find(id) {
      const found = await findTransaction(database, id);
      if (!found) throw new Error(`no transaction ${id}`);
      return found;
    },
    browser: () => new Browser(served.url, `https://${anchor.host}`),
    async enter(transaction, { query = '' } = {}) {
      const browser = stage.browser();
      await browser.open(links.interactive(transaction, transaction.lang) + query);
      return browser;
    },
    async stop() {
      await served[Symbol.asyncDispose]();
      await integration.close();
      await loopback[Symbol.asyncDispose]();
      await db.drop();
    },
  };
  return stage;
}

/** An incomplete transaction, as a wallet's request leaves it. */
function create({ db, anchor }: Stage, changes: Partial<NewTransaction> = {}): Promise<Transaction> {
  const account = `G${'B'.repeat(55)}`;
  const input: NewTransaction = {
    id: randomUUID(),
    kind: 'deposit',
    assetId: anchor.assets[0]?.id ?? '',
    subject: account,
    lang: 'en',
    ...(changes.kind === 'withdrawal' ? { source: account } : { destination: account }),
    ...changes,
  };
  return db.database.transaction().execute((trx) => insertTransaction(trx, input, 'server'));
}
