/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-misused-promises, typescript/no-floating-promises --
   runs in browsers, whose types are none of the server's */
// Follows a transaction: asks whether it has changed, draws the page anew, tells the wallet's window.
const WAITS_MS = [3_000, 3_000, 5_000, 5_000, 10_000, 10_000, 20_000];
const MAX_WAIT_MS = 30_000;

let attempt = 0;
let lastStatus = panel()?.dataset.status;

function panel() {
  return document.querySelector('#status');
}

function wire() {
  const zone = Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'long', timeStyle: 'short' });
  for (const time of document.querySelectorAll('time[datetime]')) {
    time.textContent = zone.format(new Date(time.dateTime));
  }
  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.hidden = !navigator.clipboard;
    button.addEventListener('click', async () => {
      const text = document.getElementById(button.dataset.copy)?.textContent ?? '';
      await navigator.clipboard.writeText(text);
      announce(button.dataset.copied);
    });
  }
  const close = document.querySelector('button[data-close]');
  if (close && listener()) {
    close.hidden = false;
    close.addEventListener('click', async () => {
      await tellOnce();
      window.close();
    });
  }
}

function announce(text) {
  const place = document.querySelector('#announcement');
  if (place) place.textContent = text;
}

/** The window that waits for a message: the one that opened this, or the one around it. */
function listener() {
  if (window.opener) return window.opener;
  return window.parent === window ? null : window.parent;
}

async function ask() {
  const response = await fetch(panel().dataset.statusUrl, {
    credentials: 'same-origin',
    cache: 'no-store',
    headers: { Accept: 'application/json' },
  });
  if (response.ok) return await response.json();
  if (response.status === 403) throw new Error('the link has expired');
  return null;
}

/** Sends `{ transaction }`, a plain object, as SEP-24 and early wallets want it. */
async function tell() {
  const { messageTarget } = panel().dataset;
  const answer = await ask();
  if (!answer) return false;
  listener()?.postMessage({ transaction: answer.transaction }, messageTarget);
  return true;
}

/** `callback` is called at most once: not again when the page is loaded again. */
async function tellOnce() {
  const key = `told:${new URLSearchParams(location.search).get('id')}`;
  if (!listener() || remembered(key)) return;
  if (await tell()) remember(key);
}

function remembered(key) {
  try {
    return sessionStorage.getItem(key) !== null;
  } catch {
    return false;
  }
}

function remember(key) {
  try {
    sessionStorage.setItem(key, '1');
  } catch {
    // Storage is switched off: a reload tells again.
  }
}

async function redraw() {
  const response = await fetch(location.href, { credentials: 'same-origin', cache: 'no-store' });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const fresh = page.querySelector('#status');
  if (!fresh) return;
  panel().replaceWith(fresh);
  document.title = page.title;
  if (!page.querySelector('#live')) document.querySelector('#live')?.remove();
  wire();
  announce(fresh.querySelector('h1')?.textContent ?? '');
}

async function look() {
  if (document.hidden) return;
  const answer = await ask();
  if (!answer || answer.version === panel().dataset.version) return;
  attempt = 0;
  await redraw();
  const { status, messageOnChange, messageWhen } = panel().dataset;
  if (status !== lastStatus && messageOnChange) await tell();
  lastStatus = status;
  if (messageWhen === 'load') await tellOnce();
}

async function follow() {
  while (panel() && panel().dataset.final !== 'true') {
    const wait = WAITS_MS[attempt] ?? MAX_WAIT_MS;
    attempt += 1;
    await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      await look();
    } catch (error) {
      if (error instanceof TypeError) continue; // The network is away for a moment.
      const live = document.querySelector('#live');
      if (live) live.textContent = live.dataset.stale;
      return;
    }
  }
}

wire();
if (panel()?.dataset.messageWhen === 'load') tellOnce().catch(() => {});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) attempt = 0;
});
follow();
