/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-misused-promises, typescript/no-floating-promises --
   runs in browsers, whose types are none of the server's */
// Follows a transaction: hears of changes by server-sent events, or asks where there are none, and draws the page anew.
// wallet.js hears of it by the event "capstan:drawn".
const WAITS_MS = [3_000, 3_000, 5_000, 5_000, 10_000, 10_000, 20_000];
const MAX_WAIT_MS = 30_000;
const PATIENCE_MS = 15_000;
const DAY_MS = 86_400_000;

const lang = document.documentElement.lang;
const dateFormat = Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short' });
const leftFormat = new Intl.RelativeTimeFormat(lang, { numeric: 'always' });

const panel = () => document.querySelector('#status');

function announce(text) {
  const place = document.querySelector('#announcement');
  if (place) place.textContent = text;
}

/** What of a drawn page needs a script: the customer's own time zone, copying, the countdown. */
function wire() {
  for (const time of document.querySelectorAll('time[datetime]')) {
    time.textContent = dateFormat.format(new Date(time.dateTime));
  }
  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.hidden = !navigator.clipboard;
    button.addEventListener('click', async () => {
      const text = button.dataset.copyText ?? document.getElementById(button.dataset.copy)?.textContent ?? '';
      await navigator.clipboard.writeText(text);
      const label = button.querySelector('span');
      const before = label.textContent;
      label.textContent = button.dataset.copied;
      announce(button.dataset.copied);
      setTimeout(() => (label.textContent = before), 2_000);
    });
  }
  countDown();
}

function countDown() {
  for (const place of document.querySelectorAll('[data-countdown]')) {
    const ms = Date.parse(place.dataset.countdown) - Date.now();
    if (ms <= 0) continue;
    const [size, unit] =
      ms >= 2 * DAY_MS
        ? [DAY_MS, 'day']
        : ms >= DAY_MS / 12
          ? [DAY_MS / 24, 'hour']
          : ms >= 120_000
            ? [60_000, 'minute']
            : [1_000, 'second'];
    place.textContent = leftFormat.format(Math.floor(ms / size), unit);
  }
}

/** The browser itself makes a document of the answer: no text becomes markup here (Trusted Types). */
function load(url) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('GET', url);
    request.responseType = 'document';
    request.timeout = PATIENCE_MS;
    request.addEventListener('load', () => resolve(request));
    for (const trouble of ['error', 'timeout']) {
      request.addEventListener(trouble, () => reject(new TypeError('the network is away')));
    }
    request.send();
  });
}

async function redraw() {
  const { status, response } = await load(panel().dataset.pageUrl);
  if (status === 403) return growStale();
  const fresh = response?.querySelector('#status');
  if (status !== 200 || !fresh || fresh.dataset.version === panel().dataset.version) return;
  const isOpen = document.querySelector('details')?.open;
  const hadFocus = panel().contains(document.activeElement);
  panel().replaceWith(document.adoptNode(fresh));
  const details = document.querySelector('details');
  if (details && isOpen) details.open = true;
  document.title = response.title;
  wire();
  announce(panel().querySelector('h1')?.textContent ?? '');
  // Whoever stood on a button of the old drawing is led to the new one, not to the top of the page.
  if (hadFocus) document.querySelector('#main').focus({ preventScroll: true });
  document.dispatchEvent(new Event('capstan:drawn'));
}

let isStale = false;
function growStale() {
  isStale = true;
  const live = document.querySelector('#live');
  if (!live) return;
  live.textContent = live.dataset.stale;
  live.classList.add('away');
}

function tellNetwork() {
  const away = document.querySelector('#away');
  away.hidden = navigator.onLine;
  away.textContent = navigator.onLine ? '' : away.dataset.away;
}

const isOver = () => isStale || panel().dataset.final === 'true';
const hear = (version) => {
  if (version !== panel().dataset.version) redraw().catch(() => {});
};

/** @returns a promise of when there are no events to be had any more */
function listen() {
  return new Promise((done) => {
    const url = panel().dataset.eventsUrl;
    if (!url || typeof EventSource !== 'function') return done();
    const source = new EventSource(url);
    source.addEventListener('version', ({ data }) => {
      hear(data);
      if (isOver()) source.close();
    });
    // The browser comes back by itself, unless the answer was no stream.
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) done();
    });
    addEventListener('pagehide', () => source.close());
  });
}

let attempt = 0;
async function poll() {
  while (!isOver()) {
    const wait = WAITS_MS[attempt] ?? MAX_WAIT_MS;
    attempt += 1;
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (document.hidden) continue;
    try {
      const response = await fetch(panel().dataset.statusUrl, { cache: 'no-store' });
      if (response.status === 403) growStale();
      else if (response.ok) hear((await response.json()).version);
    } catch {
      // The network is away for a moment.
    }
  }
}

// The token has become a cookie: neither the address bar nor a shared link need carry it.
const here = new URL(location.href);
if (here.searchParams.has('token') && navigator.cookieEnabled) {
  here.searchParams.delete('token');
  history.replaceState(history.state, '', here);
}
wire();
setInterval(countDown, 1_000);
addEventListener('online', tellNetwork);
addEventListener('offline', tellNetwork);
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  attempt = 0;
  redraw().catch(() => {});
});
if (!isOver()) listen().then(poll);
