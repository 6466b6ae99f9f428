import { describe, expect, test } from '@jest/globals';
import { StrKey } from '@stellar/stellar-sdk';
import fc from 'fast-check';
import { CapstanError } from './errors.ts';
import { createLog } from './log.ts';
import type { Log } from './log.ts';

function capture(): { log: Log; lines: string[]; last: () => Record<string, unknown> } {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLog({ name: 'server', level: 'debug', fields: { anchor: 'harbor' }, destination });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

const seeds = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => StrKey.encodeEd25519SecretSeed(Buffer.from(bytes)));

/** Any JSON-like structure with the seed as a value, a key, or a part of either. */
const structuresWith = (seed: string) =>
  fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constant(seed),
      fc.string().map((head) => `${head}${seed}`),
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constant(seed)), tie('tree'), { minKeys: 1, maxKeys: 3 }),
    ),
  })).tree;

describe('createLog', () => {
  test('writes one line of JSON an event, with time, level, process and correlation ids', () => {
    const { log, lines, last } = capture();
    log.child({ request_id: 'r-1' }).info({ transaction_id: 't-1' }, 'deposit paid');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(last()).toMatchObject({
      level: 'info',
      name: 'server',
      anchor: 'harbor',
      request_id: 'r-1',
      transaction_id: 't-1',
      msg: 'deposit paid',
    });
    expect(Date.parse(String(last()['time']))).not.toBeNaN();
  });

  test('never lets a seed out, wherever it is in what is logged', () => {
    const cases = seeds.chain((seed) => fc.tuple(fc.constant(seed), structuresWith(seed)));
    fc.assert(
      fc.property(cases, fc.string(), ([seed, tree], text) => {
        const { log, lines } = capture();
        log.info({ tree }, text);
        log.info(`${text}${seed}`);
        log.child({ tree }).warn({ err: new Error(seed, { cause: new Error(`x${seed}`) }) }, '%s', seed);
        log.error(new CapstanError(seed, seed));
        expect(lines.join('')).not.toContain(seed);
        expect(lines).toHaveLength(4);
        for (const line of lines) JSON.parse(line);
      }),
      { numRuns: 200 },
    );
  });

  test('hides personal fields in a child logger and in nested objects', () => {
    const { log, lines } = capture();
    log
      .child({ email_address: 'ada@example.org' })
      .info({ customer: { first_name: 'Ada' } }, 'form submitted');
    expect(lines.join('')).not.toMatch(/ada/i);
  });

  test('tells of an error its code, stack and causes, and none of its other properties', () => {
    const { log, last } = capture();
    const cause = Object.assign(new Error('refused'), {
      code: 'ECONNREFUSED',
      config: { headers: 'private' },
    });
    log.error({ err: new CapstanError('ledger_unreachable', 'Start the ledger.', { cause }) }, 'failed');
    expect(last()['err']).toMatchObject({
      type: 'CapstanError',
      code: 'ledger_unreachable',
      stack: expect.stringContaining('log.test'),
      cause: { code: 'ECONNREFUSED', message: 'refused' },
    });
    expect(JSON.stringify(last())).not.toContain('private');
  });

  test('survives cycles, amounts as bigint and raw bytes, and shows no byte', () => {
    const { log, last } = capture();
    const cycle: Record<string, unknown> = { amount: 12n };
    cycle['self'] = cycle;
    log.info({ cycle, bytes: new Uint8Array([7, 7, 7]), nested: { bytes: Buffer.from([9, 9, 9]) } }, 'odd');
    expect(last()).toMatchObject({ bytes: '[3 bytes]', cycle: { amount: 12 }, msg: 'odd' });
    expect(JSON.stringify(last())).not.toContain('9,9,9');
  });
});
