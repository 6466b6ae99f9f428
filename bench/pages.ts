import { openPremises } from '../test/support/premises.ts';
import { attributeOf, Browser, type Shown } from '../server/interactive/testing/browser.ts';
import { countOf, median, percentile, report, type Row } from './report.ts';
import { fundWallets, tokenOf } from './wallets.ts';

/**
 * `make bench ONLY=pages`: what a customer's page weighs when a browser without a cache asks for it and all that it names,
 * and how long one `capstan server` takes for it, asked one at a time, with database and integration beside it, once it is warm.
 */
const TIMES = countOf('TIMES', 300);
const MOST_BYTES = 40 * 1024;
const MOST_MS = 5;
const WIDE = { requests: 1_000_000, authentications: 1_000_000, interactive: 1_000_000 };

const rows: Row[] = [];
await using premises = await openPremises({ closeIntervalMs: 1_000, spec: { server: { rateLimits: WIDE } } });
const profile = process.env['PROFILE'];
const server = await premises.start(
  'server',
  ['--http-port', '0', '--private-port', '0', '--host', '127.0.0.1', '--drain-delay', '0.1'],
  { node: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`] },
);
const { port } = (server.ready as { addresses: { http: { port: number } } }).addresses.http;
const url = `http://127.0.0.1:${port}`;
const browser = new Browser(url, `https://${premises.anchor.host}`);

const amount = await browser.open(await beginDeposit());
await measure('amount', amount.url);
let page = await browser.submit(amount, { amount: '100' });
if (page.body.includes('name="f.first_name"')) {
  await measure('form', page.url);
  const person = { 'f.first_name': 'Ada', 'f.last_name': 'Lovelace', 'f.email_address': 'ada@example.com' };
  page = await browser.submit(page, person);
}
if (page.body.includes('name="f.nationality"')) {
  await measure('long form', page.url);
  page = await browser.submit(page);
}
await measure('review', page.url);
const status = await browser.submit(page);
await measure('status', status.url);
await server.end('SIGTERM');
report('pages', rows, { notes: { 'requests a page': TIMES } });

/** The URL that a new customer's wallet opens. */
async function beginDeposit(): Promise<string> {
  const [wallet] = await fundWallets(premises.horizon, 1);
  if (!wallet) throw new Error('there is no wallet');
  const token = await tokenOf(url, premises.anchor.network.passphrase, wallet);
  const answer = await fetch(`${url}/sep24/transactions/deposit/interactive`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ asset_code: 'SRT', account: wallet.account, lang: 'en' }),
  });
  return ((await answer.json()) as { url: string }).url;
}

async function measure(name: string, path: string): Promise<void> {
  // A server that has just started compiles what it runs.
  for (let time = 0; time < TIMES / 3; time++) await browser.open(path);
  const times: number[] = [];
  let shown: Shown | undefined;
  for (let time = 0; time < TIMES; time++) {
    const startedAt = performance.now();
    shown = await browser.open(path);
    times.push(performance.now() - startedAt);
    if (shown.status !== 200) throw new Error(`${name}: ${shown.status}`);
  }
  const html = Buffer.byteLength(shown?.body ?? '');
  const files = await bytesOfFiles(shown?.body ?? '');
  rows.push({ name: `${name}: document`, value: html, unit: 'B' });
  rows.push({ name: `${name}: with style and scripts`, value: html + files, unit: 'B', atMost: MOST_BYTES });
  rows.push({ name: `${name}: median`, value: median(times), unit: 'ms', atMost: MOST_MS });
  rows.push({ name: `${name}: p99`, value: percentile(times, 99), unit: 'ms' });
}

/** What a browser that takes brotli gets over the wire for the files that a page names. */
async function bytesOfFiles(html: string): Promise<number> {
  const named = [...html.matchAll(/<(?:link rel="stylesheet"|script type="module")[^>]*>/g)].map(
    ([tag]) => tag,
  );
  let sum = 0;
  for (const tag of named) {
    const path = attributeOf(tag, 'link', 'href') || attributeOf(tag, 'script', 'src');
    const answer = await fetch(url + path, { headers: { 'accept-encoding': 'br' } });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
    sum += Number(answer.headers.get('content-length'));
  }
  return sum;
}
