import type { IncomingMessage } from 'node:http';
import type { Keypair } from '@stellar/stellar-sdk';
import type { Challenge } from './tiny-challenge.ts';

/** What is planted. */
export interface Fault {
  /** Answers before the anchor sees the request. */
  readonly before?: (request: TinyRequest) => TinyAnswer | undefined;
  /** Changes what is answered. */
  readonly answer?: (answer: TinyAnswer, request: TinyRequest) => TinyAnswer;
  /** Changes the challenge before it is signed. */
  readonly challenge?: (challenge: Challenge) => Challenge;
  /** Checks that are left out. */
  readonly lax?: readonly Lax[];
}

export type Lax =
  | 'client-signature'
  | 'surplus-signature'
  | 'server-signature'
  | 'challenge-source'
  | 'reuse'
  | 'issuer'
  | 'memo-in-subject'
  | 'muxed-in-subject'
  | 'token-signature'
  | 'owner'
  | 'owner-memo';

export interface TinyRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Undefined when it cannot be parsed. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export interface TinyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Objects are sent as JSON. */
  readonly body: object | string;
}

export interface TinyContext {
  readonly origin: string;
  readonly homeDomain: string;
  readonly passphrase: string;
  readonly signingKey: Keypair;
  readonly issuer: string;
  readonly fault: Fault;
}

export const CORS = { 'access-control-allow-origin': '*' };
export const json = (status: number, body: object): TinyAnswer => ({
  status,
  headers: { ...CORS, 'content-type': 'application/json' },
  body,
});
export const refused = (why: string, status = 400): TinyAnswer => json(status, { error: why });
export const html = (): TinyAnswer => ({
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<h1>Hello</h1>',
});
