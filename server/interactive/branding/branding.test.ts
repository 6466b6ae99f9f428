import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readBuiltIn } from '../built-in.ts';
import { createLook } from '../look.ts';
import { composeBranding, loadBranding, type Branding } from './branding.ts';
import { formatProblem } from './problem.ts';

const builtIn = readBuiltIn();

/** A branding of texts, as a ConfigMap with these keys. */
function brandingOf(files: Readonly<Record<string, string | Buffer>>): Branding {
  const read = Object.entries(files).map(([name, content]) => ({
    name,
    path: name,
    content: Buffer.from(content),
  }));
  return composeBranding({ files: read, problems: [] }, builtIn);
}

const said = ({ problems }: Branding): string[] =>
  problems.map((problem) => `${problem.severity} ${formatProblem(problem)}`);

describe('words of a branding', () => {
  test('replace ours one by one; what cannot be used is told with its line and left out', () => {
    const branding = brandingOf({
      'en.json': `{
  "action.continue": "Onwards",
  "action.contniue": "Slip",
  "amount.least": "At least {limit}.",
  "amount.get": "{kind, select, deposit {You get}",
  "amount.pay": 7,
  "error.amount.small": "Too little."
}`,
    });
    expect(said(branding)).toEqual([
      'error en.json:3: "action.contniue" is no key of the pages: did you mean "action.continue".',
      'error en.json:4: "amount.least" uses {limit}, which it is not given; it may use {min}.',
      'error en.json:5: "amount.get" has a broken placeholder: check its braces ({name}, or {n, plural, one {…} other {…}}).',
      'error en.json:6: "amount.pay" must be text: put it in quotes.',
      'warning en.json:7: "error.amount.small" leaves out {limit}, which ours says.',
    ]);
    expect(Object.keys(branding.words.get('en')!)).toEqual(['action.continue', 'error.amount.small']);
  });

  test.each([
    ['{\n "a": 1,\n}', 3],
    ['{\n "a": "b"\n "c": "d"\n}', 3],
    ['{\n "a": "b",\n', 3],
    ['[]', 1],
  ])('a file that is no JSON object is told with the line: %j', (text, line) => {
    expect(said(brandingOf({ 'es.json': text }))[0]).toMatch(new RegExp(`^error es\\.json:${line}: `));
  });

  test('of a language that the pages do not speak are told', () => {
    expect(said(brandingOf({ 'de.json': '{}' }))).toEqual([
      'error de.json: is of no language of the pages: there are en.json, es.json, pt.json, fr.json, id.json, ar.json.',
    ]);
  });
});

describe('templates of a branding', () => {
  test.each([
    ['line one\n{% if a %}', 'message.liquid:2: tag {% if a %} not closed.'],
    ['{{ title | shout }}', 'message.liquid:1: undefined filter: shout.'],
    ["\n{% render 'nowhere' %}", 'message.liquid:2: there is no template "nowhere".'],
    ["{% render '/etc/passwd' %}", 'message.liquid:1: there is no template "/etc/passwd".'],
    ["{% render '../../shell' %}", 'message.liquid:1: there is no template "../../shell".'],
    ["{% render 'message' %}", 'message.liquid: renders itself, without an end.'],
    [
      "\n\n{{ 'action.contniue' | t }}",
      "message.liquid:3: 'action.contniue' is no key of the pages' words: docs/branding.md lists them.",
    ],
    [
      "{{ 'logo.svg' | asset }}",
      "message.liquid:1: 'logo.svg' is no file of the branding or of ours: add it, or correct its name.",
    ],
  ])('with the mistake %j are told with file and line, and ours serves', (text, problem) => {
    const branding = brandingOf({ 'message.liquid': text });
    expect(said(branding)).toEqual([`error ${problem}`]);
    expect(branding.templates.size).toBe(0);
  });

  test('may have parts of their own, but none that nobody renders', () => {
    const branding = brandingOf({
      'message.liquid': "{% layout 'layout' %}{% block content %}{% render 'offices' %}{% endblock %}",
      'offices.liquid': '<p>Lagos</p>',
      'stauts.liquid': '',
    });
    expect(said(branding)).toEqual([
      'error stauts.liquid: replaces no template, and none of yours renders it: did you mean status.liquid.',
    ]);
    expect([...branding.templates.keys()]).toEqual(['message', 'offices']);
  });

  test.each([
    ['runs on and on', '{% for i in (1..100000) %}{% for j in (1..100000) %}{{ i }}{% endfor %}{% endfor %}'],
    [
      'eats memory',
      "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..40) %}{% assign a = a | append: a %}{% endfor %}",
    ],
    ['fails with what it is given', '{{ title | slice: 1, 2 }}{% render missing %}'],
  ])(
    'one that %s gives way to ours when a page is drawn, and is told once',
    (_, text) => {
      const branding = brandingOf({ 'message.liquid': text });
      const told: string[] = [];
      const look = createLook(builtIn, branding, (problem) => void told.push(formatProblem(problem)));
      const english = look.translators.get('en')!;
      const view = { title: 'Sorry', text: 'Not now', organization: { name: 'Harbor' } };
      for (let times = 0; times < 2; times++) {
        expect(look.renderer.render(english, 'message', view)).toMatch(/<h1[^>]*>Sorry/);
      }
      expect(told).toHaveLength(1);
      expect(look.problems.map(formatProblem)).toEqual(told);
    },
    20_000,
  );

  test('everything that they print is escaped', () => {
    const look = createLook(builtIn, brandingOf({ 'message.liquid': '{{ title }}' }), () => {});
    expect(look.renderer.render(look.translators.get('en')!, 'message', { title: '<script>' })).toBe(
      '&lt;script&gt;',
    );
  });
});

describe('the theme of a branding', () => {
  const woff2 = Buffer.from('wOF2 and so on');

  test('names its files, which are served under their hash', () => {
    const branding = brandingOf({
      'theme.css':
        "@font-face { font-family: Brand; src: url('static/brand.woff2') format('woff2') }\n:root { --font: Brand }",
      'brand.woff2': woff2,
    });
    expect(said(branding)).toEqual([]);
    const theme = branding.files.find(({ name }) => name === 'theme.css')!;
    expect(theme.content.toString()).toMatch(
      /src: url\("\/sep24\/assets\/brand\.[0-9a-f]{16}\.woff2"\) format/,
    );
    expect(branding.files.find(({ name }) => name === 'brand.woff2')!.type).toBe('font/woff2');
  });

  test('that is no style sheet, or misses a file, is not served', () => {
    const branding = brandingOf({
      'theme.css': '@import "more.css";\nbody { background: url(sea.png) }\n.x { color red }',
    });
    expect(said(branding)).toEqual([
      expect.stringMatching(/^error theme\.css:3: is no style sheet here: /),
      'error theme.css:1: imports another sheet, which costs customers a round trip: put its rules here.',
      'error theme.css:2: loads sea.png, which is no file of the branding: add it, or correct its name.',
    ]);
    expect(branding.files).toEqual([]);
  });

  test('is told of what browsers will refuse, and of properties that no page uses', () => {
    const branding = brandingOf({
      'theme.css':
        ':root { --acent: #00f; --mine: 1px }\nh1 { margin: var(--mine); background: url(https://cdn.example/x.png) }',
    });
    expect(said(branding)).toEqual([
      'warning theme.css:2: loads https://cdn.example/x.png, which browsers refuse: pages load nothing from elsewhere. Put the file into the branding.',
      'warning theme.css:1: sets --acent, which no page uses: did you mean --accent?',
    ]);
    expect(branding.files).toHaveLength(1);
  });
});

describe('files of a branding', () => {
  test('are served by their type, and must be what their name says', () => {
    const branding = brandingOf({
      'logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'photo.png': '<!doctype html>',
      'notes.txt': 'x',
      'a b.svg': '<svg/>',
    });
    expect(said(branding)).toEqual([
      'error photo.png: does not hold what its name says: it is no png file.',
      'error notes.txt: is not served: pages load only .css, .js, .svg, .png, .jpg, .webp, .ico, .woff2; templates are .liquid, words .json.',
      'error a b.svg: cannot be served under that name: use letters, digits, ".", "-" and "_".',
    ]);
    const look = createLook(builtIn, branding, () => {});
    expect(look.logo.url).toMatch(/^\/sep24\/assets\/logo\.[0-9a-f]{16}\.svg$/);
  });
});

describe('the folder of a branding', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'brand-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('is read as Kubernetes mounts a ConfigMap: flat, with links to ..data', async () => {
    await mkdir(path.join(folder, '..2026_11_29'));
    await symlink('..2026_11_29', path.join(folder, '..data'));
    for (const [name, text] of [
      ['message.liquid', '{{ title }}'],
      ['fr.json', '{"action.close": "Fermer"}'],
      ['theme.css', ':root { --radius: 0 }'],
    ] as const) {
      await writeFile(path.join(folder, '..data', name), text);
      await symlink(`..data/${name}`, path.join(folder, name));
    }
    const branding = await loadBranding(folder, builtIn);
    expect(said(branding)).toEqual([]);
    expect(branding.words.get('fr')).toEqual({ 'action.close': 'Fermer' });
    expect([...branding.templates.keys()]).toEqual(['message']);
    expect(branding.files.map(({ name }) => name)).toEqual(['theme.css']);
  });

  test('an empty one (the ConfigMap is still to come) changes nothing; none at all is an error', async () => {
    expect(await loadBranding(folder, builtIn)).toMatchObject({ files: [], problems: [] });
    await expect(loadBranding(path.join(folder, 'nowhere'), builtIn)).rejects.toThrow(/cannot be read/);
  });

  test('gives nothing from outside of it, nothing too large, and no name twice', async () => {
    const outside = await mkdtemp(path.join(tmpdir(), 'outside-'));
    await writeFile(path.join(outside, 'secret.css'), 'x');
    await mkdir(path.join(folder, 'static'));
    await mkdir(path.join(folder, 'fonts'));
    await symlink(path.join(outside, 'secret.css'), path.join(folder, 'linked.css'));
    await symlink(outside, path.join(folder, 'templates'));
    await symlink('nowhere', path.join(folder, 'dangling.css'));
    await writeFile(path.join(folder, 'large.css'), Buffer.alloc(512 * 1024 + 1, 32));
    await writeFile(path.join(folder, 'theme.css'), '');
    await writeFile(path.join(folder, 'static', 'theme.css'), '');
    const branding = await loadBranding(folder, builtIn);
    expect(said(branding)).toEqual([
      'error dangling.css: is a link to nothing: take it out, or put the file there.',
      'error fonts: is a folder that is not read: only templates, locales, static are.',
      'error large.css: is larger than 512 KiB: make it smaller.',
      'error linked.css: is a link that leads out of the folder: put the file itself here.',
      'error templates: is a link that leads out of the folder: put the file itself here.',
      'error templates/secret.css: is a link that leads out of the folder: put the file itself here.',
      'error theme.css: has the name of static/theme.css: folders do not count, so rename one of the two.',
    ]);
    await rm(outside, { recursive: true });
  });
});
