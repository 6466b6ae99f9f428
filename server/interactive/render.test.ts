import { expect, test } from '@jest/globals';
import { createTranslator, type Language } from './locale.ts';
import { createRenderer } from './render.ts';
import { StaticFiles } from './static.ts';

const english = createTranslator('en', {});
const translators = new Map<Language, typeof english>([['en', english]]);
const files = new StaticFiles([]);

/** A view that takes the time of a busy machine. */
const slowFor = (milliseconds: number): object => ({
  person: {
    get name() {
      const until = performance.now() + milliseconds;
      while (performance.now() < until);
      return 'Ada';
    },
  },
});
const draw = (view: object, theirs: ReadonlyMap<string, string>): readonly [string, number] => {
  let failures = 0;
  const renderer = createRenderer({
    ours: new Map([['page', 'ours: {{ person.name }}{{ person.name }}']]),
    theirs,
    translators,
    files,
    onFailure: () => void (failures += 1),
  });
  return [renderer.render(english, 'page', view), failures];
};

test('a page of ours is drawn however busy the machine is', () => {
  expect(draw(slowFor(1_100), new Map())).toEqual(['ours: AdaAda', 0]);
});

test('a template of theirs that takes too long gives way to ours', () => {
  const theirs = new Map([['page', '{% for one in (1..100000) %}{{ person.name }}{% endfor %}theirs']]);
  expect(draw(slowFor(1), theirs)).toEqual(['ours: AdaAda', 1]);
});
