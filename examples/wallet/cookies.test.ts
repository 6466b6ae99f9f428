import { expect, test } from '@jest/globals';
import { CookieJar } from './cookies.ts';

const PAGE = 'https://anchor.test/a/page';

function jarWith(...lines: string[]): CookieJar {
  const jar = new CookieJar();
  jar.store(PAGE, new Headers(lines.map((line) => ['set-cookie', line] as [string, string])));
  return jar;
}

test('sends back what was set, to the same host only', () => {
  const jar = jarWith('one=1; Path=/', 'two=a=b; Path=/; HttpOnly; SameSite=Lax');
  expect(jar.headerFor('https://anchor.test/other')).toBe('one=1; two=a=b');
  expect(jar.headerFor('https://elsewhere.test/')).toBeUndefined();
});

test('sends a cookie below its path only, which is by default the page’s folder', () => {
  const jar = jarWith('one=1; Path=/a/page', 'two=2');
  expect(jar.headerFor('https://anchor.test/a/page/x')).toBe('one=1; two=2');
  expect(jar.headerFor('https://anchor.test/a/pages')).toBe('two=2');
  expect(jar.headerFor('https://anchor.test/')).toBeUndefined();
});

test('sends a secure cookie by https only, and forgets one that is deleted', () => {
  const jar = jarWith('one=1; Path=/; Secure', 'two=2; Path=/');
  expect(jar.headerFor('http://anchor.test/')).toBe('two=2');
  jar.store(PAGE, new Headers([['set-cookie', 'two=; Path=/; Max-Age=0']]));
  expect(jar.headerFor('https://anchor.test/')).toBe('one=1');
});

test('refuses a __Host- cookie that a browser would refuse, and a cookie for another domain', () => {
  const jar = jarWith(
    '__Host-a=1; Path=/; Secure',
    '__Host-b=1; Path=/',
    '__Host-c=1; Path=/a; Secure',
    'd=1; Path=/; Domain=other.test',
  );
  expect(jar.headerFor(PAGE)).toBe('__Host-a=1');
});
