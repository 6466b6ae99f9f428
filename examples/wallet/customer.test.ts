import { expect, test } from '@jest/globals';
import { fillIn } from './customer.ts';
import { readForms } from './html-form.ts';

function fill(body: string, amount = '25'): Record<string, string[]> {
  const [form] = readForms(`<form method="post">${body}</form>`, 'https://anchor.test/');
  const values = fillIn(form!, amount);
  return Object.fromEntries([...new Set(values.keys())].map((key) => [key, values.getAll(key)]));
}

test('sends hidden fields as they came and the amount where one is asked', () => {
  const body =
    '<input type="hidden" name="csrf" value="s"><input name="amount" inputmode="decimal" value="1">';
  expect(fill(body)).toEqual({ csrf: ['s'], amount: ['25'] });
});

test('sends what a person would write in each field, whatever prefix its name has', () => {
  const body =
    '<input name="f.first_name"><input name="f.last_name"><input type="email" name="mail"><input name="x" autocomplete="tel"><input type="date" name="born">';
  expect(fill(body)).toEqual({
    'f.first_name': ['Ada'],
    'f.last_name': ['Lovelace'],
    mail: ['ada@example.com'],
    x: ['+442071234567'],
    born: ['1985-12-10'],
  });
});

test('ticks a box that must be ticked and leaves the others as they are', () => {
  const body =
    '<input type="checkbox" name="must" required value="1"><input type="checkbox" name="may"><input type="checkbox" name="was" checked>';
  expect(fill(body)).toEqual({ must: ['1'], was: ['on'] });
});

test('sends one of a group of radio buttons: the checked one, else the first', () => {
  const body =
    '<input type="radio" name="a" value="1"><input type="radio" name="a" value="2" checked><input type="radio" name="b" value="3"><input type="radio" name="b" value="4">';
  expect(fill(body)).toEqual({ a: ['2'], b: ['3'] });
});

test('chooses from a list what is there to be chosen', () => {
  expect(fill('<select name="c"><option value="">–</option><option value="FRA">F</option></select>')).toEqual(
    {
      c: ['FRA'],
    },
  );
});

test('presses the button that goes on, not the one that only calculates', () => {
  const body =
    '<button type="submit" name="calculate" value="yes" formnovalidate>=</button><button type="submit" name="next" value="1">Next</button>';
  expect(fill(body)).toEqual({ next: ['1'] });
  expect(fill('<button name="calculate" value="yes" formnovalidate>=</button><button>Next</button>')).toEqual(
    {},
  );
});
