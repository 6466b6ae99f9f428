import { describe, expect, test } from '@jest/globals';
import { CapstanError, messageOf } from './errors.ts';

describe('CapstanError', () => {
  test('carries its code, its class name and its cause', () => {
    class LedgerUnreachable extends CapstanError {}
    const cause = new Error('ECONNREFUSED');
    const error = new LedgerUnreachable('ledger_unreachable', 'Start the ledger.', { cause });
    expect(error).toMatchObject({ name: 'LedgerUnreachable', code: 'ledger_unreachable', cause });
  });

  test('anything thrown has a message', () => {
    expect(messageOf('plain')).toBe('plain');
    expect(messageOf(new Error('told'))).toBe('told');
  });
});
