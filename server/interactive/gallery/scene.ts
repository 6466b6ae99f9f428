import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { Database } from '../../../core/database/database.ts';
import { SessionKeyRing } from '../../../core/keys/jwt.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import { CapstanError } from '../../../core/runtime/errors.ts';
import type { Log } from '../../../core/runtime/log.ts';
import type { Anchor, Asset } from '../../../core/spec/anchor.ts';
import type { Transaction } from '../../../core/transaction/transaction.ts';
import { requestOf } from '../../request.ts';
import type { Branding } from '../branding/branding.ts';
import type { BuiltIn } from '../built-in.ts';
import { createLinks } from '../links.ts';
import { createShell, type Shell } from '../shell.ts';
import { assetOf, translatorFor, type Visit } from '../visit.ts';
import type { SampleContext } from './sample-transactions.ts';
import { inLanguage } from './words.ts';

/** A look at one page: the real shell and a request, with data that are made up. */
export interface Scene extends SampleContext {
  readonly ctx: Context;
  readonly shell: Shell;
  readonly asset: Asset;
  /** A visit of a customer's browser to this transaction. */
  visit(transaction: Transaction): Visit;
}

export interface GalleryShellOptions {
  readonly anchor: Anchor;
  readonly branding: Branding;
  readonly builtIn: BuiltIn;
  readonly clock: Clock;
  readonly log: Log;
}

export class GalleryReadsNothing extends CapstanError {
  constructor() {
    super('gallery_reads_nothing', 'A page of the gallery asked the database: give it what it shows.');
  }
}

/** The shell of the real pages, without the world behind it: what asks a database or an integration is a defect. */
export function galleryShell({ anchor, branding, builtIn, clock, log }: GalleryShellOptions): Shell {
  const keys = new SessionKeyRing([{ kid: 'gallery', secret: randomBytes(32) }]);
  const random = (count: number): Uint8Array => randomBytes(count);
  return createShell({
    anchor,
    branding,
    builtIn,
    database: noDatabase(),
    integration: {
      // There are forms, so that the way has all its stages, and they may ask for files.
      has: async (hook) => hook === 'interactive/form' || hook === 'interactive/upload',
      call: async () => {
        throw new GalleryReadsNothing();
      },
    },
    keys,
    links: createLinks({ anchor, keys, clock, random }),
    clock,
    random,
    log,
  });
}

class NoDriver extends DummyDriver {
  override async acquireConnection(): Promise<never> {
    throw new GalleryReadsNothing();
  }
}

function noDatabase(): Database {
  return new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new NoDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

export function sceneOf(ctx: Context, shell: Shell): Scene {
  const { anchor, clock } = shell.deps;
  const [asset] = anchor.assets;
  if (!asset) throw new TypeError('an anchor has an asset');
  const { lang } = translatorFor(ctx, shell);
  return {
    ctx,
    shell,
    asset,
    nowMs: clock.now(),
    say: inLanguage(lang),
    visit: (transaction) => ({
      ctx,
      shell,
      anchor,
      asset: assetOf(anchor, transaction),
      transaction,
      session: {
        bound: {
          transactionId: transaction.id,
          subject: transaction.subject,
          expiresAtMs: 0,
          claims: { aud: 'gallery', iat: 0, exp: 0 },
        },
        csrf: 'gallery',
        opener: undefined,
        returnUrl: undefined,
      },
      translator: translatorFor(ctx, shell, transaction),
      signal: requestOf(ctx).signal,
    }),
  };
}
