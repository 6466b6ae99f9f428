/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   runs in browsers, whose types are none of the server's */
// Shows the fee of an amount while the customer types. Without this script the button "calculate" does the same.
const DELAY_MS = 250;
const PATIENCE_MS = 15_000;

const form = document.querySelector('form[data-fee-url]');
const input = form?.querySelector('[data-amount]');
const fee = document.querySelector('#fee');

if (form && input && fee) {
  form.querySelector('[data-calculate]')?.remove();
  let timer;
  let running;
  let shown = input.value;

  const load = () => {
    if (input.value === shown) return;
    shown = input.value;
    running?.abort();
    const url = new URL(form.dataset.feeUrl, location.href);
    url.searchParams.set('amount', shown);
    // The browser itself makes a document of the answer: no text becomes markup here (Trusted Types).
    running = new XMLHttpRequest();
    running.open('GET', url);
    running.responseType = 'document';
    running.timeout = PATIENCE_MS;
    running.addEventListener('load', ({ target }) => {
      const part = target.status === 200 || target.status === 422 ? target.response?.body : null;
      if (part) fee.replaceChildren(...part.childNodes);
    });
    // Without an answer the old fee must not stand beside the new amount: the next page shows it.
    for (const trouble of ['error', 'timeout'])
      running.addEventListener(trouble, () => fee.replaceChildren());
    running.addEventListener('loadend', () => fee.removeAttribute('aria-busy'));
    fee.setAttribute('aria-busy', 'true');
    running.send();
  };

  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(load, DELAY_MS);
  });
}
