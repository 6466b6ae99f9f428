import { parseAmount } from '../../../core/transaction/amount.ts';
import { STATUSES, type Kind, type Status } from '../../../core/transaction/status.ts';
import type { Transaction } from '../../../core/transaction/transaction.ts';
import { quoteFor, showAmount, showForm, showReview } from '../form-pages.ts';
import { readForm } from '../form-values.ts';
import { showStatus } from '../more-info.ts';
import { PageError } from '../page-error.ts';
import { drawUnfinished } from '../returned.ts';
import { cardPage, detailsPage, documentsPage, personPage, summaryOf } from './sample-forms.ts';
import { changesOf, incomplete, transactionIn } from './sample-transactions.ts';
import type { Scene } from './scene.ts';

/** One page in one state. */
export interface Entry {
  /** `deposit-amount`: part of its URL, and the name of its screenshot. */
  readonly id: string;
  readonly group: 'Form' | 'Deposit' | 'Withdrawal' | 'Special' | 'Errors';
  readonly title: string;
  /** The HTTP status that the real page has. */
  readonly status: number;
  /** On a network where nothing is worth money. */
  readonly isTest?: true;
  /** Draws it by the functions that the server uses. */
  readonly draw: (scene: Scene) => Promise<void> | void;
}

const form = (id: string, title: string, draw: Entry['draw'], status = 200): Entry => ({
  id,
  group: 'Form',
  title,
  status,
  draw,
});

const FORMS: readonly Entry[] = [
  form('deposit-amount', 'Amount of a deposit', (scene) =>
    showAmount(scene.visit(incomplete('deposit', scene)), {}),
  ),
  form('deposit-amount-fee', 'Amount, with its fee', (scene) =>
    showAmount(scene.visit({ ...incomplete('deposit', scene, '250'), interactiveStep: null }), {}),
  ),
  form('deposit-amount-refused', 'Amount that is too small', drawRefusedAmount, 422),
  form('withdrawal-amount', 'Amount of a withdrawal', (scene) =>
    showAmount(scene.visit(incomplete('withdrawal', scene)), {}),
  ),
  form('form-person', 'First page of the integration', (scene) =>
    showForm(onTheWay(scene), personPage(scene.say), { show: '' }),
  ),
  form('form-person-refused', 'The same, refused by the integration', drawToldErrors, 422),
  form('form-details', 'Address and choices', (scene) =>
    showForm(onTheWay(scene), detailsPage(scene.say), { show: 'details' }),
  ),
  form('form-details-refused', 'The same with nothing filled in', drawEmptyForm, 422),
  form('form-documents', 'Files, one of them sent already', drawFiles),
  form('form-card', 'Amount and card', (scene) =>
    showForm(onTheWay(scene), cardPage(scene.say), { show: '' }),
  ),
  form('deposit-review', 'Review of a deposit', (scene) =>
    showReview(onTheWay(scene), summaryOf(scene.say), {}),
  ),
  form('withdrawal-review', 'Review of a withdrawal', (scene) =>
    showReview(onTheWay(scene, 'withdrawal'), summaryOf(scene.say), {}),
  ),
  form('review-changed', 'Review after the fee has changed', drawChangedReview, 409),
  form('unfinished', 'Back from the integration’s own pages too early', (scene) =>
    drawUnfinished(onTheWay(scene), scene.say('unfinished')),
  ),
];

/** After the amount was given. */
const onTheWay = (scene: Scene, kind: Kind = 'deposit') => scene.visit(incomplete(kind, scene, '250'));

async function drawRefusedAmount(scene: Scene): Promise<void> {
  const visit = scene.visit(incomplete('deposit', scene));
  const quoted = await quoteFor(visit, 1n);
  if ('problem' in quoted)
    await showAmount(visit, { text: visit.translator.amount(1n, 0), problem: quoted.problem });
}

function drawToldErrors(scene: Scene): Promise<void> {
  const told = { email_address: scene.say('onlyOurs') };
  return showForm(onTheWay(scene), personPage(scene.say), { show: '', told, message: scene.say('notNow') });
}

/** What the server itself finds in a form that was sent empty. */
function drawEmptyForm(scene: Scene): Promise<void> {
  const visit = onTheWay(scene);
  const page = detailsPage(scene.say);
  const today = new Date(scene.nowMs).toISOString().slice(0, 10);
  const { raw, problems } = readForm(page, {}, { translator: visit.translator, today });
  return showForm(visit, page, { show: '', raw, problems });
}

function drawFiles(scene: Scene): Promise<void> {
  const kept = { id: '0', name: 'IMG_20261129_1042.jpg', bytes: 1_841_203, seal: 'gallery' };
  const files = new Map([['photo_id_front', kept]]);
  return showForm(onTheWay(scene), documentsPage(scene.say), { show: '', files });
}

function drawChangedReview(scene: Scene): Promise<void> {
  return showReview(onTheWay(scene), summaryOf(scene.say), { hasChanged: true });
}

/** Statuses that a kind never has: a withdrawal needs no trustline. */
const NEVER: Readonly<Record<Kind, readonly Status[]>> = { deposit: [], withdrawal: ['pending_trust'] };

const statusEntries = (kind: Kind, group: Entry['group']): readonly Entry[] =>
  STATUSES.filter((status) => !NEVER[kind].includes(status)).map((status) => ({
    id: `${kind}-${status.replaceAll('_', '-')}`,
    group,
    title: status,
    status: 200,
    draw: (scene) => drawStatus(scene, transactionIn(kind, status, scene)),
  }));

function drawStatus(scene: Scene, transaction: Transaction): void {
  const { session } = scene.visit(transaction);
  showStatus(scene.ctx, scene.shell, {
    transaction,
    opener: undefined,
    changes: changesOf(transaction, scene.nowMs),
    ...(transaction.status === 'incomplete' && { session }),
  });
}

const special = (
  id: string,
  title: string,
  make: (scene: Scene) => Transaction,
  more: Partial<Entry> = {},
): Entry => ({
  id,
  group: 'Special',
  title,
  status: 200,
  draw: (scene) => drawStatus(scene, make(scene)),
  ...more,
});

const SPECIAL: readonly Entry[] = [
  special('deposit-under-review', 'The customer is under review before paying in', (scene) => ({
    ...transactionIn('deposit', 'pending_anchor', scene),
    transferReceivedAt: null,
    externalTransactionId: null,
  })),
  special('deposit-without-instructions', 'The integration says nothing of how to pay in', (scene) => ({
    ...transactionIn('deposit', 'pending_user_transfer_start', scene),
    instructions: null,
    userActionRequiredBy: null,
  })),
  special('deposit-claimable', 'Paid as a claimable balance', (scene) => ({
    ...transactionIn('deposit', 'completed', scene),
    claimableBalanceId: `00000000${'a7'.repeat(32)}`,
  })),
  special('deposit-refunded-partly', 'Paid, and a part came back in two payments', (scene) => ({
    ...transactionIn('deposit', 'completed', scene),
    refunds: ['HB-RETURN-1', 'HB-RETURN-2'].map((id, index) => ({
      id,
      idType: 'external' as const,
      amount: parseAmount('10'),
      fee: BigInt(index) * parseAmount('0.25'),
    })),
  })),
  special('deposit-long-texts', 'A message that is long and has no blanks', (scene) => ({
    ...transactionIn('deposit', 'on_hold', scene),
    message: `${'Harbor'.repeat(40)}\n\n${scene.say('held')} ${scene.say('payText')}`,
    externalTransactionId: 'REF'.repeat(40),
  })),
  special('test-network', 'On a test network', (scene) => transactionIn('deposit', 'completed', scene), {
    isTest: true,
  }),
];

const ERRORS: readonly (readonly [number, string, string])[] = [
  [403, 'link', 'A link that is not right'],
  [403, 'used', 'A link that another browser has used'],
  [403, 'session', 'A browser without a session'],
  [403, 'expired_link', 'A link that is too old'],
  [403, 'forgery', 'A form that did not come from our page'],
  [400, 'callback', 'A callback that cannot be used'],
  [400, 'request', 'A request that makes no sense'],
  [503, 'unavailable', 'The integration or the database is away'],
  [500, 'defect', 'A defect of ours'],
  [404, 'not_found', 'No such page'],
  [429, 'too_many', 'Too many requests'],
];

const errorEntries = ERRORS.map(([status, name, title]): Entry => ({
  id: `error-${name.replaceAll('_', '-')}`,
  group: 'Errors',
  title,
  status,
  draw: () => {
    throw new PageError(status, `error.${name}`);
  },
}));

/** Every page in every state. */
export const ENTRIES: readonly Entry[] = [
  ...FORMS,
  ...statusEntries('deposit', 'Deposit'),
  ...statusEntries('withdrawal', 'Withdrawal'),
  ...SPECIAL,
  ...errorEntries,
];
