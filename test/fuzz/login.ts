import fc from 'fast-check';
import { Keypair, TransactionBuilder, type Transaction } from '@stellar/stellar-sdk';
import { parse } from './judge.ts';
import { pickOf } from './parameters.ts';
import { ask, type Fuzz } from './session.ts';
import { ROUTES } from './table.ts';
import { bodyOf, formText, type Encoding, type Pairs } from './wire.ts';
import type { Customer } from './world.ts';

/** A wallet that logs in by SEP-10, well or badly. */
export interface LoginPlan {
  readonly customer: number;
  readonly fault:
    'none' | 'unsigned' | 'stranger' | 'twice' | 'replayed' | 'cut' | 'flipped' | 'other network' | 'raced';
  readonly encoding: Encoding;
  readonly homeDomain: string | undefined;
  readonly pick: number;
}

export const loginPlan: fc.Arbitrary<LoginPlan> = fc.record({
  customer: fc.nat(1_000),
  fault: fc.oneof(
    { arbitrary: fc.constant<LoginPlan['fault']>('none'), weight: 6 },
    fc.constantFrom<LoginPlan['fault']>(
      'unsigned',
      'stranger',
      'twice',
      'replayed',
      'cut',
      'flipped',
      'other network',
      'raced',
    ),
  ),
  encoding: fc.constantFrom<Encoding>('json', 'json', 'form', 'multipart'),
  homeDomain: fc.constantFrom(undefined, 'harbor.example', 'anchor.harbor.example'),
  pick: fc.nat(1_000_000),
});

const rowOf = (method: string) => ROUTES.find((row) => row.path === '/auth' && row.method === method)!;

/** Gets a challenge, signs it and comes back; a token that is got is used from then on. */
export async function logIn(fuzz: Fuzz, plan: LoginPlan): Promise<void> {
  const customer = pickOf(fuzz.world.customers, plan.customer)!;
  const wasDown = fuzz.isDown();
  const envelope = await getChallenge(fuzz, customer, plan);
  if (envelope === undefined) return;
  const signed = sign(envelope, customer, plan);
  const first = send(fuzz, signed, plan);
  const second = plan.fault === 'raced' ? send(fuzz, signed, plan) : undefined;
  const tokens = [await first, await second].filter((token) => token !== undefined);
  if (plan.fault === 'replayed')
    tokens.push(...[await send(fuzz, signed, plan)].filter((token) => token !== undefined));
  checkTokens(fuzz, tokens, customer, { ...plan, wasDown });
}

async function getChallenge(
  fuzz: Fuzz,
  customer: Customer,
  { homeDomain }: LoginPlan,
): Promise<Transaction | undefined> {
  const query: Pairs = [
    ['account', customer.address],
    ...(customer.memo === undefined ? [] : [['memo', customer.memo] as const]),
    ...(homeDomain === undefined ? [] : [['home_domain', homeDomain] as const]),
  ];
  const answer = await ask(
    fuzz,
    { method: 'GET', target: `/auth?${formText(query)}`, headers: {} },
    { row: rowOf('GET'), parameters: query.map(([name]) => `query.${name}`) },
  );
  const { transaction, network_passphrase: passphrase } = parse(answer.text) ?? {};
  if (answer.status !== 200 || typeof transaction !== 'string') return undefined;
  return TransactionBuilder.fromXDR(transaction, String(passphrase)) as Transaction;
}

function sign(challenge: Transaction, customer: Customer, { fault, pick }: LoginPlan): string {
  const { signers } = customer;
  if (fault === 'other network') {
    const other = TransactionBuilder.fromXDR(challenge.toXDR(), 'another network') as Transaction;
    other.sign(...signers);
    return other.toXDR();
  }
  if (fault === 'stranger') challenge.sign(Keypair.random());
  else if (fault !== 'unsigned') challenge.sign(...signers);
  if (fault === 'twice') challenge.sign(...signers);
  const text = challenge.toXDR();
  if (fault === 'cut') return text.slice(0, pick % text.length);
  if (fault !== 'flipped') return text;
  const bytes = Buffer.from(text, 'base64');
  bytes[pick % bytes.length]! ^= 1 << (pick % 8);
  return bytes.toString('base64');
}

/** The token of a login that worked. */
async function send(fuzz: Fuzz, transaction: string, { encoding }: LoginPlan): Promise<string | undefined> {
  const { headers, body } = bodyOf([['transaction', transaction]], encoding);
  const answer = await ask(
    fuzz,
    { method: 'POST', target: '/auth', headers, ...(body && { body }) },
    { row: rowOf('POST'), parameters: ['body.transaction'] },
  );
  const { token } = parse(answer.text) ?? {};
  return answer.status === 200 && typeof token === 'string' ? token : undefined;
}

/** A login gives one token when it is right, and none when it is not; never a second one. */
function checkTokens(
  { judge, isDown }: Fuzz,
  tokens: readonly string[],
  customer: Customer,
  { fault, wasDown }: Pick<LoginPlan, 'fault'> & { readonly wasDown: boolean },
): void {
  const isRight = ['none', 'replayed', 'raced'].includes(fault);
  const wanted = isRight ? 1 : 0;
  const isWrong = tokens.length > wanted || (tokens.length < wanted && !wasDown && !isDown());
  if (isWrong)
    judge.blame(`a login (${fault}) of ${customer.subject} gave ${tokens.length} tokens`, undefined);
  const [token] = tokens;
  if (token === undefined) return;
  const { sub } = parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) ?? {};
  if (sub !== customer.subject)
    judge.blame(`the token of ${customer.subject} is for ${String(sub)}`, undefined);
  customer.token = token;
}
