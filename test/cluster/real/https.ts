import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { authorityFile, type RealAnchor } from './fixtures.ts';

const TOML = '/.well-known/stellar.toml';
const DEADLINE_MS = 10_000;

/** How the anchor's HTTPS is reached without a name server: its host, at an address. */
export interface Address {
  readonly host: string;
  readonly ca: string;
  readonly address: string;
  readonly port: number;
}

export async function addressOf(anchor: RealAnchor, address: string, port: number): Promise<Address> {
  return { host: anchor.host, ca: await readFile(await authorityFile(anchor), 'utf8'), address, port };
}

/** The serial number of the certificate that a new connection is shown; the name and the authority are checked. */
export async function serialAt({ host, ca, address, port }: Address): Promise<string> {
  const socket = connect({ host: address, port, servername: host, ca, timeout: DEADLINE_MS });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('timeout', () => reject(new Error(`${address} does not answer`)));
    });
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
}

/** The JSON at a path; one request. */
export async function askJson(where: Address, at: string): Promise<unknown> {
  const agent = new Agent({ maxCachedSessions: 0 });
  try {
    const { status, text } = await get(where, agent, at);
    if (status !== 200) throw new Error(`${at} answers ${status}: ${text}`);
    return JSON.parse(text);
  } finally {
    agent.destroy();
  }
}

/** What a line of requests has met so far. */
export interface Line {
  readonly answered: number;
  readonly failures: readonly string[];
  /** Serial numbers of the certificates, each once, in their order. */
  readonly serials: readonly string[];
  /** Connections that were made. */
  readonly connections: number;
  stop(): Promise<void>;
}

/**
 * Asks for stellar.toml again and again, one request after the other: over one connection that is kept, or over a new one each time.
 * Nothing is tried twice.
 */
export function keepAsking(where: Address, options: { isKept: boolean; everyMs: number }): Line {
  const agent = new Agent({ keepAlive: options.isKept, maxSockets: 1, maxCachedSessions: 0 });
  const state = { answered: 0, failures: [] as string[], serials: [] as string[], connections: 0 };
  const stopping = new AbortController();
  const ask = async (): Promise<void> => {
    try {
      const { status, serial, isNew } = await get(where, agent);
      if (!state.serials.includes(serial)) state.serials.push(serial);
      if (isNew) state.connections += 1;
      if (status === 200) state.answered += 1;
      else state.failures.push(`status ${status}`);
    } catch (error) {
      state.failures.push(String(error));
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await ask();
      await new Promise((resolve) => void setTimeout(resolve, options.everyMs));
    }
  };
  const running = loop();
  return Object.assign(state, {
    async stop() {
      stopping.abort();
      await running;
      agent.destroy();
    },
  });
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
  readonly serial: string;
  readonly isNew: boolean;
}

function get({ host, ca, address, port }: Address, agent: Agent, at = TOML): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({
      agent,
      host: address,
      port,
      servername: host,
      path: at,
      headers: { host },
      ca,
      timeout: DEADLINE_MS,
    });
    call.once('timeout', () => call.destroy(new Error('no answer in time')));
    call.once('error', reject);
    call.once('response', (response) => {
      const { statusCode: status, socket } = response;
      const serial = (socket as TLSSocket).getPeerCertificate().serialNumber;
      response.once('error', reject);
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve({ status, text, serial, isNew: !call.reusedSocket }));
    });
    call.end();
  });
}
