import { InvalidAmount, parseAmount, type Stroops } from '../../core/transaction/amount.ts';
import type { Translator } from './locale.ts';

/** Digits of Arabic and Persian keyboards, whose values are their distance from these. */
const FOREIGN_ZEROS = [0x0660, 0x06f0];
const ARABIC_DECIMAL = /٫/g;
const ARABIC_GROUP = /٬/g;
/** Blanks (no-break and narrow ones too), apostrophes as group marks, and invisible direction marks. */
const NOISE = /[\s\u00a0\u202f'’\u200e\u200f\u061c]/g;

/**
 * Reads an amount as a customer types it: with the language's decimal mark and groups ("1.234,50" in Spanish), or with
 * the other mark where it cannot be meant as a group ("12.50" in Spanish). One mark before exactly three digits is read
 * by the language's custom; the page shows the amount again before anything is done.
 * @returns stroops, or undefined for what cannot be read for certain
 */
export function readAmountText(
  text: string,
  { separators }: Pick<Translator, 'separators'>,
): Stroops | undefined {
  const plain = toPlain(latinDigits(text).replace(NOISE, ''), separators);
  if (plain === undefined) return undefined;
  try {
    return parseAmount(plain);
  } catch (error) {
    if (error instanceof InvalidAmount) return undefined;
    throw error;
  }
}

/** Digits of Arabic and Persian keyboards as 0 to 9, their decimal mark as a point. */
export function latinDigits(text: string): string {
  const digits = text.replace(/[٠-٩۰-۹]/g, (digit) => {
    const code = digit.charCodeAt(0);
    const zero = FOREIGN_ZEROS.find((start) => code >= start && code <= start + 9) ?? code;
    return String(code - zero);
  });
  return digits.replace(ARABIC_DECIMAL, '.').replace(ARABIC_GROUP, '');
}

function toPlain(text: string, { decimal, group }: Translator['separators']): string | undefined {
  const marks = text.replace(/\d/g, '');
  if (/[^.,]/.test(marks)) return undefined;
  const last = marks.at(-1);
  if (last === undefined) return text;
  if (!isGrouped(text, last)) return splitAt(text, last);
  // "1.234.567" can only be groups; of "1.234" the language says what it is, or nobody.
  if (marks.length > 1 || last === group) return text.replaceAll(last, '');
  return last === decimal ? splitAt(text, last) : undefined;
}

/** Takes `mark` for the decimal mark and the other one for groups. */
function splitAt(text: string, mark: string): string | undefined {
  const [whole = '', fraction = '', ...rest] = text.split(mark);
  if (rest.length > 0 || fraction === '') return undefined;
  const other = mark === '.' ? ',' : '.';
  const isWholeGood = /^\d+$/.test(whole) || isGrouped(whole, other);
  return isWholeGood ? `${whole.replaceAll(other, '')}.${fraction}` : undefined;
}

/** `1.234` or `1.234.567`: three digits after every mark. */
function isGrouped(text: string, mark: string): boolean {
  const [first = '', ...groups] = text.split(mark);
  return /^\d{1,3}$/.test(first) && groups.length > 0 && groups.every((digits) => /^\d{3}$/.test(digits));
}
