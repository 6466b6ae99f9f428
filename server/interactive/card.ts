import { latinDigits } from './amount-text.ts';
import type { InputField } from './fields.ts';

/** A part of a payment card that was typed: as the contract wants it, or the key of what is wrong. */
export type CardText = { readonly value: string } | { readonly problem: string };

type CardPart = Extract<InputField, { type: 'card' }>['part'];

/** @param today `YYYY-MM-DD`: a card is good to the end of its month */
export function readCard(part: CardPart, text: string, today: string): CardText {
  const plain = latinDigits(text).replace(/[\s\u00a0-]/g, '');
  switch (part) {
    case 'number':
      return /^\d{12,19}$/.test(plain) && passesLuhn(plain)
        ? { value: plain }
        : { problem: 'error.card.number' };
    case 'code':
      return /^\d{3,4}$/.test(plain) ? { value: plain } : { problem: 'error.card.code' };
    case 'expiry':
      return readExpiry(plain, today);
  }
}

/** Written as on the card, MM/YY; told as SEP-9 has it, YY-MM. */
function readExpiry(text: string, today: string): CardText {
  const [, month = '', year = ''] = /^(0[1-9]|1[0-2])\/?(?:20)?(\d{2})$/.exec(text) ?? [];
  if (month === '') return { problem: 'error.card.expiry' };
  const isOver = `20${year}-${month}` < today.slice(0, 7);
  return isOver ? { problem: 'error.card.over' } : { value: `${year}-${month}` };
}

/** ISO/IEC 7812-1, annex B: from the right, every second digit counts twice. */
function passesLuhn(digits: string): boolean {
  const sum = digits
    .split('')
    .toReversed()
    .reduce((total, digit, index) => {
      const doubled = Number(digit) * (index % 2 === 0 ? 1 : 2);
      return total + (doubled > 9 ? doubled - 9 : doubled);
    }, 0);
  return sum % 10 === 0;
}
