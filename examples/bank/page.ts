import { html, type Html } from './html.ts';
import { ibanOf } from './iban.ts';
import type { Customer, Deposit, Payout, Refund } from './rows.ts';

export interface PageData {
  readonly deposits: readonly Deposit[];
  readonly payouts: readonly Payout[];
  readonly refunds: readonly Refund[];
  readonly customerOf: (row: { readonly account: string; readonly memo: string }) => Customer | undefined;
  /** Goes into every form, so that no other site can submit one. */
  readonly token: string;
  readonly notice?: string | undefined;
  readonly now: number;
}

/** The page on which a person plays the bank. */
export function renderPage(data: PageData): string {
  const expected = data.deposits.filter(
    ({ received, review }) => received === undefined && review !== 'refused',
  );
  const seen = data.deposits.filter((deposit) => !expected.includes(deposit));
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Example Bank</title>
        <link rel="stylesheet" href="/bank/style.css" />
      </head>
      <body>
        <header>
          <h1>Example Bank</h1>
          <p>You are the bank of this anchor. <a href="/bank/">Refresh</a></p>
        </header>
        <main>
          ${data.notice === undefined ? undefined : html`<p class="notice" role="alert">${data.notice}</p>`}
          <section aria-labelledby="expected">
            <h2 id="expected">Expected transfers</h2>
            ${expected.length === 0 ? html`<p>None. They appear when a customer asks how to pay, or Capstan polls.</p>` : expected.map((deposit) => expectedCard(deposit, data))}
          </section>
          <section aria-labelledby="received">
            <h2 id="received">Received and refused</h2>
            ${table(
              ['Customer', 'Received', 'Bank reference', 'State', 'Decide'],
              seen.map((deposit) => seenRow(deposit, data)),
            )}
          </section>
          <section aria-labelledby="payouts">
            <h2 id="payouts">Payouts</h2>
            ${table(
              ['Customer', 'To account', 'Amount', 'Reference', 'State', 'Transaction'],
              data.payouts.map((payout) => payoutRow(payout, data)),
            )}
          </section>
          <section aria-labelledby="refunds">
            <h2 id="refunds">Refunds</h2>
            ${table(
              ['Amount', 'Reference', 'Why', 'Transaction'],
              data.refunds.map(
                (refund) =>
                  html`<tr>
                    <td>${refund.amount}</td>
                    <td>${refund.reference}</td>
                    <td>${refund.reason}</td>
                    <td><code>${refund.id}</code></td>
                  </tr>`,
              ),
            )}
          </section>
        </main>
      </body>
    </html>`;
  return page.text;
}

function expectedCard(deposit: Deposit, data: PageData): Html {
  const { id, asset, expected, paymentReference } = deposit;
  const who = nameOf(deposit, data);
  return html`<article aria-label="Transfer ${paymentReference} of ${who}">
    <h3>${paymentReference}</h3>
    <p>
      ${who} · ${expected === undefined ? 'amount not known' : `${expected} ${asset}`} · ${stateOf(deposit)}
    </p>
    <form method="post" action="${actionOf(id, 'receive')}">
      ${tokenField(data)}
      <label
        >Amount (${asset})
        <input name="amount" inputmode="decimal" autocomplete="off" required value="${expected}"
      /></label>
      <button class="primary">Received</button>
    </form>
    ${decisions(deposit, data)}
    <p class="small"><code>${id}</code></p>
  </article>`;
}

function decisions(deposit: Deposit, data: PageData): Html {
  const { id, review, paymentReference } = deposit;
  const button = (verb: 'hold' | 'refuse' | 'approve', label: string): Html =>
    html`<button formaction="${actionOf(id, verb)}" aria-label="${label} ${paymentReference}">
      ${label}
    </button>`;
  return html`<form method="post" action="${actionOf(id, 'hold')}">
    ${tokenField(data)}
    <label
      >Reason
      <input name="reason" autocomplete="off" maxlength="200" aria-label="Reason for ${paymentReference}"
    /></label>
    ${review === 'held' ? button('approve', 'Approve') : button('hold', 'Hold')}
    ${review === 'refused' ? undefined : button('refuse', 'Refuse')}
  </form>`;
}

function seenRow(deposit: Deposit, data: PageData): Html {
  const { received, asset, reference, paidBy, review } = deposit;
  const isOver = paidBy !== undefined || review === 'refused';
  return html`<tr>
    <td>${nameOf(deposit, data)}</td>
    <td>${received === undefined ? '–' : `${received} ${asset}`}</td>
    <td>${reference ?? '–'}</td>
    <td>${stateOf(deposit)}</td>
    <td>${isOver ? '–' : decisions(deposit, data)}</td>
  </tr>`;
}

function payoutRow(payout: Payout, data: PageData): Html {
  const number = data.customerOf(payout)?.number;
  const state = payout.doneAt <= data.now ? 'paid' : 'under way';
  return html`<tr>
    <td>${nameOf(payout, data)}</td>
    <td>${number === undefined ? '–' : ibanOf(number)}</td>
    <td>${payout.amount} ${payout.asset}</td>
    <td>${payout.reference}</td>
    <td>${state}</td>
    <td><code>${payout.id}</code></td>
  </tr>`;
}

function table(headings: readonly string[], rows: readonly Html[]): Html {
  if (rows.length === 0) return html`<p>None.</p>`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${headings.join(', ')}">
    <table>
      <thead>
        <tr>
          ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function stateOf({ review, received, paidBy, reason }: Deposit): string {
  if (paidBy !== undefined) return 'customer has the tokens';
  if (review === 'held') return `held${reason === undefined ? '' : `: ${reason}`}`;
  if (review === 'refused') return `refused${reason === undefined ? '' : `: ${reason}`}`;
  return received === undefined ? 'expected' : 'received';
}

function nameOf(row: { readonly account: string; readonly memo: string }, { customerOf }: PageData): string {
  const customer = customerOf(row);
  return customer
    ? `${customer.firstName} ${customer.lastName}`
    : `${row.account.slice(0, 6)}…${row.account.slice(-4)}`;
}

const actionOf = (id: string, verb: string): string => `/bank/deposits/${encodeURIComponent(id)}/${verb}`;
const tokenField = ({ token }: PageData): Html => html`<input type="hidden" name="token" value="${token}" />`;

export const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
html { background: Canvas; color: CanvasText; } a { color: light-dark(#0645ad, #9ecbff); }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; }
h1 { margin: 0; } h2 { margin-top: 2rem; } h3 { margin: 0; font-family: ui-monospace, monospace; }
article { border: 1px solid GrayText; border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin: .5rem 0; }
label { display: grid; } input, button { font: inherit; min-height: 2.75rem; padding: 0 .75rem; }
.primary { background: #0b5c3b; color: #fff; border: 1px solid #0b5c3b; border-radius: .25rem; }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; } th, td { text-align: start; padding: .5rem; border-bottom: 1px solid GrayText; vertical-align: top; }
.notice { border: 2px solid; padding: .75rem; } .small { font-size: .875rem; margin: 0; overflow-wrap: anywhere; }
`;
