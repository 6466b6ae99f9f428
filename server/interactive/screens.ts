import { IntegrationMisbehaved } from '../../core/integration/client.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import { decideScreen, parseStep, type Facts, type Screen } from './flow.ts';
import { showAmount, showForm, showReview } from './form-pages.ts';
import { isLoopbackHost, PATHS, urlOf } from './origin.ts';
import { redirect, write, type Visit } from './visit.ts';

export interface ScreenOptions {
  readonly isEditingAmount?: boolean;
  /** The integration's page that the customer went back to. */
  readonly show?: string;
}

/** What is to be shown next; asks the integration what only it can say. */
export async function screenOf(visit: Visit, options: ScreenOptions = {}): Promise<Screen> {
  const { transaction, anchor, shell, translator, signal } = visit;
  const { integration } = shell.deps;
  const step = parseStep(transaction.interactiveStep);
  let facts: Facts = {
    step,
    hasAmount: transaction.amountExpected !== null,
    isEditingAmount: options.isEditingAmount ?? false,
    serves: {
      url: await integration.has('interactive/url'),
      form: await integration.has('interactive/form'),
    },
  };
  const common = { transaction: toIntegrationTransaction(transaction, anchor), lang: translator.lang };
  const last = step.at === 'form' ? step.last : undefined;
  const show = step.at === 'form' && options.show !== '' ? options.show : undefined;
  for (;;) {
    const decided = decideScreen(facts);
    if ('show' in decided) return decided;
    if (decided.need === 'interactive/url') {
      const returnUrl = urlOf(shell.origin, PATHS.completed, { transaction_id: transaction.id });
      const url = await integration.call('interactive/url', { ...common, returnUrl }, { signal });
      facts = { ...facts, url };
    } else {
      const request = {
        ...common,
        ...(last !== undefined && { step: last }),
        ...(show !== undefined && { show }),
      };
      facts = { ...facts, form: await integration.call('interactive/form', request, { signal }) };
    }
  }
}

export async function showScreen(visit: Visit, screen: Screen, show = ''): Promise<void> {
  switch (screen.show) {
    case 'external':
      return await sendAway(visit, screen.url);
    case 'amount':
      return await showAmount(visit, {});
    case 'form':
      return await showForm(visit, screen.page, { show: screen.page.step === show ? show : '' });
    case 'review':
      return await showReview(visit, screen.summary, {});
    case 'endless':
      throw new IntegrationMisbehaved('interactive/form', 'it asks for page after page and never says done');
  }
}

async function sendAway(visit: Visit, url: string): Promise<void> {
  const { ctx, shell, transaction } = visit;
  const target = URL.parse(url);
  const isHttps = target?.protocol === 'https:';
  if (!isHttps && !(!shell.origin.isSecure && target && isLoopbackHost(target.host))) {
    throw new IntegrationMisbehaved('interactive/url', 'its url is not https');
  }
  if (transaction.interactiveStep !== 'external') {
    const patch = { interactiveStep: 'external' };
    await write(shell.deps, transaction, {
      patch,
      reason: 'the customer was sent to the integration’s pages',
    });
  }
  redirect(ctx, url);
}
