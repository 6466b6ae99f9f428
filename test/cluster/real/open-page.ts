import { createBrowser } from '../../../examples/wallet/browser.ts';
import { messageOf } from '../../../core/runtime/errors.ts';
import { Keypair } from '../../faults/stellar.ts';
import { createSep24Client } from '../../support/sep24-client.ts';
import type { RealAnchor } from './fixtures.ts';
import { pause } from './processes.ts';
import { createClient, type Client, type Failure } from './requests.ts';
import { surroundingsOf, wayTo } from './traffic.ts';

/** A stream of events ends by itself before that. */
const STREAM_MS = 40_000;
const AGAIN_MS = 500;

export interface OpenPage {
  /** As they grow. */
  readonly requests: number;
  readonly failures: readonly Failure[];
  /** How many streams of events have come to their end in order. */
  readonly streams: number;
  /** Resolves when the streams that are open have ended. */
  stop(): Promise<void>;
}

/**
 * A customer who looks at the page of a deposit all the time, in two tabs: one is loaded again and again, with all that it names, and
 * the other one follows the transaction by server-sent events. Each pod may have drawn the page whose files another one sends.
 */
export async function keepPageOpen(anchor: RealAnchor): Promise<OpenPage> {
  const [surroundings, way] = await Promise.all([surroundingsOf(anchor), wayTo(anchor)]);
  const failures: Failure[] = [];
  const state = { isStopping: false, requests: 0, streams: 0 };
  const listener = {
    onRequest: () => void (state.requests += 1),
    onFailure: (failure: Failure) => void failures.push(failure),
  };
  const tabs = [createClient(way, listener), createClient(way, listener)] as const;
  const url = await pageOf(tabs[0], surroundings);
  const noting = async (what: string, work: () => Promise<void>): Promise<void> => {
    const before = failures.length;
    await work().catch((error: unknown) => {
      if (failures.length === before) failures.push({ atMs: Date.now(), what, why: messageOf(error) });
    });
    await pause(AGAIN_MS);
  };
  const reloading = async (): Promise<void> => {
    while (!state.isStopping) await noting('a page', async () => void (await loadPage(tabs[0], url)));
  };
  const following = async (): Promise<void> => {
    while (!state.isStopping) {
      await noting('a stream of events', async () => {
        await followPage(tabs[1], url);
        state.streams += 1;
      });
    }
  };
  const running = Promise.all([reloading(), following()]);
  return {
    failures,
    get requests() {
      return state.requests;
    },
    get streams() {
      return state.streams;
    },
    async stop() {
      state.isStopping = true;
      await running;
      await Promise.all(tabs.map((tab) => tab.close()));
    },
  };
}

/** @returns the `more_info_url` of a new deposit, of somebody who has no account yet */
async function pageOf(
  { fetch }: Client,
  { host, code, stellar }: Awaited<ReturnType<typeof surroundingsOf>>,
): Promise<string> {
  const keypair = Keypair.random();
  const [authUrl, transferUrl] = [`https://${host}/auth`, `https://${host}/sep24`];
  const client = createSep24Client({ authUrl, transferUrl, passphrase: stellar.passphrase, fetch });
  const token = await client.logIn(keypair);
  const body = { asset_code: code, account: keypair.publicKey() };
  const { id } = await client.call('/transactions/deposit/interactive', { token, body });
  const { transaction } = await client.call(`/transaction?id=${String(id)}`, { token });
  return String((transaction as { more_info_url: unknown }).more_info_url);
}

/** Loads the page as a browser does, with its styles and scripts. */
async function loadPage({ fetch }: Client, url: string): Promise<string> {
  const { html } = await createBrowser(fetch).open(url);
  const files = [...html.matchAll(/\s(?:src|href)="(\/sep24\/assets\/[^"]+)"/g)].map(([, path = '']) => path);
  if (files.length < 2) throw new Error(`the page names ${files.length} files`);
  await Promise.all(files.map((path) => fetch(new URL(path, url))));
  return html;
}

async function followPage({ fetch }: Client, url: string): Promise<void> {
  // What the browser keeps to itself: the cookie that it was given instead of the token in the address.
  let cookie = '';
  const html = await loadPage(
    {
      fetch(input, init) {
        cookie = new Headers(init?.headers).get('cookie') ?? cookie;
        return fetch(input, init);
      },
      close: async () => undefined,
    },
    url,
  );
  const [, path] = /data-events-url="([^"]+)"/.exec(html) ?? [];
  if (path === undefined) throw new Error('the page names no events');
  const signal = AbortSignal.timeout(STREAM_MS);
  const events = await fetch(new URL(path.replaceAll('&amp;', '&'), url), { headers: { cookie }, signal });
  if (!(await events.text()).includes('event: version')) throw new Error('the stream told no version');
}
