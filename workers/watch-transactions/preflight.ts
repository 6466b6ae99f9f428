import { writeReport } from '../../core/database/repositories/control.ts';
import type { IntegrationClient } from '../../core/integration/client.ts';
import type { LedgerAccount } from '../../core/ledger/types.ts';
import type { PaymentContext } from '../../core/payments/context.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import { REPORTS, type DeclaredHooks } from '../../core/status/document.ts';
import { declaredHooks } from '../../core/status/hooks.ts';
import { preflight } from '../../core/status/preflight.ts';

export interface PreflightContext extends Pick<
  PaymentContext,
  'database' | 'horizon' | 'anchor' | 'clock' | 'log'
> {
  readonly integration: Pick<IntegrationClient, 'declaration'>;
}

const EVERY_MS = 60_000;
/** A look-up in so much time at most, so that payments keep nine tenths of the smallest request budget. */
const PER_LOOKUP_MS = 10_000;

/** Writes down, again and again, whether every asset could be paid and what the integration declares. */
export async function followPreflight(context: PreflightContext, signal: AbortSignal): Promise<void> {
  const { clock, log, anchor } = context;
  const pauseMs = Math.max(EVERY_MS, accountsOf(anchor).length * PER_LOOKUP_MS);
  while (!signal.aborted) {
    await reportPreflight(context).catch((error: unknown) =>
      log.warn({ err: error }, 'the ledger accounts could not be looked over'),
    );
    await clock.sleep(pauseMs, signal);
  }
}

/** Once. @throws {LedgerUnavailable} and writes nothing: what was known stays, and grows old */
export async function reportPreflight({
  database,
  horizon,
  anchor,
  integration,
}: PreflightContext): Promise<void> {
  const found = new Map<string, LedgerAccount | undefined>();
  for (const account of accountsOf(anchor)) found.set(account, (await horizon.account(account)).account);
  const assets = anchor.assets.map((asset) =>
    preflight({
      anchor,
      asset,
      distribution: found.get(asset.distributionAccount),
      ...(asset.issuer !== undefined && { issuer: found.get(asset.issuer) }),
    }),
  );
  const declared: DeclaredHooks | { readonly error: string } = await integration.declaration().then(
    (declaration) => declaredHooks(anchor, declaration),
    (error: unknown) => ({ error: messageOf(error) }),
  );
  await writeReport(database, REPORTS.preflight, { assets, integration: declared });
}

/** Distribution accounts and issuers, each once. */
function accountsOf({ assets }: PreflightContext['anchor']): readonly string[] {
  const all = assets.flatMap(({ distributionAccount, issuer }) => [
    distributionAccount,
    ...(issuer === undefined ? [] : [issuer]),
  ]);
  return [...new Set(all)];
}
