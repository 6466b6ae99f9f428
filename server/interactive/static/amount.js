/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   runs in browsers, whose types are none of the server's */
// Shows the fee of an amount while the customer types. Without this script the button "calculate" does the same.
const DELAY_MS = 400;

const form = document.querySelector('form[data-fee-url]');
const input = form?.querySelector('[data-amount]');
const fee = document.querySelector('#fee');

if (form && input && fee) {
  form.querySelector('[data-calculate]')?.remove();
  let timer;
  let running;
  let shown = input.value;

  const load = async () => {
    if (input.value === shown) return;
    shown = input.value;
    running?.abort();
    running = new AbortController();
    const url = new URL(form.dataset.feeUrl, location.href);
    url.searchParams.set('amount', shown);
    try {
      const response = await fetch(url, { signal: running.signal, credentials: 'same-origin' });
      if (response.status !== 200 && response.status !== 422) return;
      const part = new DOMParser().parseFromString(await response.text(), 'text/html');
      fee.replaceChildren(...part.body.childNodes);
    } catch {
      // The customer typed on, or the network is away: the table comes with the next page.
    }
  };

  input.addEventListener('input', () => {
    // What is shown belongs to another amount: its seal must not travel with this one.
    fee.querySelector('[name="seal"]')?.remove();
    clearTimeout(timer);
    timer = setTimeout(load, DELAY_MS);
  });
}
