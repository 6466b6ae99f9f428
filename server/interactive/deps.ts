import type { Database } from '../../core/database/database.ts';
import type { IntegrationClient } from '../../core/integration/client.ts';
import type { SessionKeyRing } from '../../core/keys/jwt.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import type { Branding } from './branding/branding.ts';
import type { BuiltIn } from './built-in.ts';
import type { CallbackPolicy } from './callbacks.ts';
import type { PageLinks, Random } from './links.ts';

export interface InteractiveDeps {
  readonly anchor: Anchor;
  readonly database: Database;
  readonly integration: Pick<IntegrationClient, 'has' | 'call'>;
  /** Signs the tokens and sessions of the pages. */
  readonly keys: SessionKeyRing;
  readonly links: PageLinks;
  readonly clock: Clock;
  readonly random: Random;
  /** Of the process; each request has its own. */
  readonly log: Log;
  /** Where wallets may be called back. Default: any public https server. */
  readonly callbacks?: CallbackPolicy;
  /** What the business puts in place of ours; it may be changed later (`shell.wear`). Default: nothing. */
  readonly branding?: Branding;
  /** What ships with Capstan, if it was read already. */
  readonly builtIn?: BuiltIn;
  /** Origins outside of ours that a form may end up at: those of the integration's own pages. */
  readonly formActions?: readonly string[];
  /** How long one stream of a status page's events lives. Default: 25 s, less than any proxy's patience. */
  readonly liveStreamMs?: number;
  /** Development without TLS on a loopback host. */
  readonly insecureLoopback?: boolean;
}
