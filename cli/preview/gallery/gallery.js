/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-misused-promises, typescript/no-floating-promises --
   runs in browsers, whose types are none of the server's */
// The gallery's own page: a list, four switches, and frames of the real pages.
const switches = ['lang', 'scheme', 'size', 'mode'].map((id) => document.getElementById(id));
const [lang, scheme, size, mode] = switches;
const nav = document.querySelector('nav');
const main = document.querySelector('main');
const problems = document.getElementById('problems');
const languages = new Intl.DisplayNames('en', { type: 'language' });
let entries = [];

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

/** What is shown stands in the URL, so that it can be sent to somebody. */
const state = () => new URLSearchParams(location.hash.slice(1));
const chosen = () => state().get('page') ?? entries[0]?.id;

function keep(changes) {
  const query = state();
  for (const [name, value] of Object.entries(changes)) query.set(name, value);
  location.hash = query.toString();
}

function frame({ id, title, status }) {
  const query = new URLSearchParams({ lang: lang.value, scheme: scheme.value });
  const src = `/gallery/page/${id}?${query}`;
  const link = element('a', { href: src, target: '_blank', textContent: `${title} (${status})` });
  return element(
    'figure',
    {},
    element('iframe', { src, title, className: size.value }),
    element('figcaption', {}, link),
  );
}

function draw() {
  const query = state();
  for (const one of switches) if (query.has(one.id)) one.value = query.get(one.id);
  const shown = mode.value === 'all' ? entries : entries.filter(({ id }) => id === chosen());
  main.replaceChildren(...shown.map(frame));
  for (const link of nav.querySelectorAll('a')) {
    if (link.dataset.id === chosen()) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function list() {
  const groups = Map.groupBy(entries, ({ group }) => group);
  const link = ({ id, title }) => {
    const made = element('a', { href: `#page=${id}`, textContent: title });
    made.dataset.id = id;
    made.addEventListener('click', (event) => {
      event.preventDefault();
      keep({ page: id, mode: 'one' });
    });
    return element('li', {}, made);
  };
  nav.replaceChildren(
    ...[...groups].flatMap(([group, of]) => [
      element('h2', { textContent: group }),
      element('ul', {}, ...of.map(link)),
    ]),
  );
}

async function load() {
  const response = await fetch('/gallery/entries.json');
  const answer = await response.json();
  entries = answer.entries;
  if (lang.options.length === 0) {
    lang.append(
      ...answer.languages.map((code) => element('option', { value: code, textContent: languages.of(code) })),
    );
  }
  problems.hidden = answer.problems.length === 0;
  problems.replaceChildren(
    ...answer.problems.map(({ severity, text }) => element('li', { className: severity, textContent: text })),
  );
  list();
  draw();
}

for (const one of switches) one.addEventListener('change', () => keep({ [one.id]: one.value }));
window.addEventListener('hashchange', draw);
new EventSource('/gallery/events').addEventListener('message', load);
await load();
