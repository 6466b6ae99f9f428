import { describe, expect, test } from '@jest/globals';
import { complaintOf, readForms, textOf } from './html-form.ts';

const URL = 'https://anchor.test/pages/one?a=1';

describe('reading the forms of a page', () => {
  test('finds method and absolute action; a form without an action goes to its own page', () => {
    const forms = readForms('<form method=POST action="../two?b=1&amp;c=2"></form><form></form>', URL);
    expect(forms.map(({ method, action }) => [method, action])).toEqual([
      ['post', 'https://anchor.test/two?b=1&c=2'],
      ['get', URL],
    ]);
  });

  test('reads every kind of control with the value that a browser would send untouched', () => {
    const [form] = readForms(
      `<form method="post">
        <input type="hidden" name="csrf" value="a&quot;&#39;&#x3e;b">
        <input name='plain'>
        <input type="checkbox" name="terms" required><input type="checkbox" name="news" value="yes" checked>
        <select name="country"><option value="">Choose</option><option value="GBR" selected>UK</option></select>
        <select name="size"><option>small<option>large</select>
        <textarea name="note">
two
lines &amp; more</textarea>
        <button type="submit" name="go" value="on" formnovalidate>Go</button>
      </form>`,
      URL,
    );
    expect(form!.fields.map(({ name, type, value }) => [name, type, value])).toEqual([
      ['csrf', 'hidden', `a"'>b`],
      ['plain', 'text', ''],
      ['terms', 'checkbox', 'on'],
      ['news', 'checkbox', 'yes'],
      ['country', 'select', 'GBR'],
      ['size', 'select', 'small'],
      ['note', 'textarea', 'two\nlines & more'],
      ['go', 'submit', 'on'],
    ]);
    expect(form!.fields[4]!.options).toEqual(['', 'GBR']);
  });

  test('takes no control that has no name or is disabled, and no form of a comment or a script', () => {
    const html =
      '<!-- <form><input name="x"></form> --><script>"<form></form>"</script><form><input><input name="y" disabled></form>';
    expect(readForms(html, URL)).toEqual([{ method: 'get', action: URL, fields: [] }]);
  });

  test('is not led astray by ">" in an attribute', () => {
    const [form] = readForms('<form method="post"><input name="a" value="1>2"><input name="b"></form>', URL);
    expect(form!.fields.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(form!.fields[0]!.value).toBe('1>2');
  });
});

describe('what a reader sees', () => {
  test('is the text without tags, scripts and head', () => {
    expect(textOf('<head><title>T</title></head><p>One &amp;\n two</p><style>p{}</style>')).toBe('One & two');
  });

  test('is, where a page complains, what its alert says', () => {
    const html =
      '<h1>Deposit</h1><div class="summary" role="alert"><ul><li>Too small</li></ul></div><p>Amount</p>';
    expect(complaintOf(html)).toBe('Too small');
    expect(complaintOf('<h1>Deposit</h1>')).toBe('Deposit');
  });

  test('keeps an entity that does not exist as it is', () => {
    expect(textOf('&nonsense; &#9999999;')).toBe('&nonsense; &#9999999;');
  });
});
