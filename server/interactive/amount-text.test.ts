import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_STROOPS, parseAmount } from '../../core/transaction/amount.ts';
import { readAmountText } from './amount-text.ts';
import { createTranslator, LANGUAGES, type Language } from './locale.ts';

const speak = (lang: Language) => createTranslator(lang, {});

describe('readAmountText', () => {
  test.each<[Language, string, string | undefined]>([
    ['en', '1234.5', '1234.5'],
    ['en', '1,234.50', '1234.5'],
    ['en', '1,234', '1234'],
    ['en', '1.234', '1.234'],
    ['en', '12,50', '12.5'],
    ['en', '1,234,567', '1234567'],
    ['es', '1.234,50', '1234.5'],
    ['es', '1.234', '1234'],
    ['es', '1,234', '1.234'],
    ['es', '12.50', '12.5'],
    ['fr', '1 234,50', '1234.5'],
    ['fr', '1\u202f234,50', '1234.5'],
    ['fr', '12.50', '12.5'],
    ['fr', '1.234', undefined],
    ['ar', '١٬٢٣٤٫٥', '1234.5'],
    ['ar', '۱۲۳', '123'],
    ['en', ' 007 ', '7'],
    ['en', '1.2.3', undefined],
    ['en', '1,23,456', undefined],
    ['en', '12,34.5', undefined],
    ['en', '.5', undefined],
    ['en', '5.', undefined],
    ['en', '-5', undefined],
    ['en', '+5', undefined],
    ['en', '1e3', undefined],
    ['en', '0x10', undefined],
    ['en', '5 SRT', undefined],
    ['en', '', undefined],
    ['en', '1.23456789', undefined],
    ['en', '922337203685.4775808', undefined],
    ['en', 'Infinity', undefined],
  ])('in %s reads "%s" as %s', (lang, text, amount) => {
    expect(readAmountText(text, speak(lang))).toBe(amount === undefined ? undefined : parseAmount(amount));
  });

  test.each(LANGUAGES)('in %s reads back every amount that we write', (lang) => {
    const translator = speak(lang);
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: MAX_STROOPS }),
        fc.integer({ min: 0, max: 7 }),
        (amount, decimals) => {
          const written = translator.amount(amount, decimals);
          expect(readAmountText(written, translator)).toBe(amount);
        },
      ),
    );
  });

  test('never throws, whatever is typed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...LANGUAGES), fc.string({ unit: 'binary' }), (lang, text) => {
        expect(['bigint', 'undefined']).toContain(typeof readAmountText(text, speak(lang)));
      }),
    );
  });
});
