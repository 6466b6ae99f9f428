/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-misused-promises --
   runs in browsers, whose types are none of the server's */
// Tells the window of the wallet about its transaction (SEP-24: callback and on_change_callback by postMessage), and closes.
const panel = () => document.querySelector('#status');
let lastStatus = panel()?.dataset.status;

/** The window that waits for a message: the one that opened this, or the one around it. */
function listener() {
  if (window.opener) return window.opener;
  return window.parent === window ? null : window.parent;
}

/** Sends `{ transaction }`, a plain object, as SEP-24 and early wallets want it. */
async function tell() {
  const response = await fetch(panel().dataset.statusUrl, { cache: 'no-store' });
  if (!response.ok) return false;
  const { transaction } = await response.json();
  listener()?.postMessage({ transaction }, panel().dataset.messageTarget);
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

async function drawn() {
  const close = document.querySelector('button[data-close]');
  if (close && listener()) {
    close.hidden = false;
    close.addEventListener('click', async () => {
      if (panel().dataset.messageWhen) await tellOnce().catch(() => {});
      window.close();
    });
  }
  const { status, messageOnChange, messageWhen } = panel().dataset;
  if (status !== lastStatus && messageOnChange) await tell();
  lastStatus = status;
  if (messageWhen === 'load') await tellOnce();
}

document.addEventListener('capstan:drawn', () => drawn().catch(() => {}));
drawn().catch(() => {});
