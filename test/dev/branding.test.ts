import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, fetch } from 'undici';
import { describe, expect, test } from '@jest/globals';
import { newDataFolder, startAnchor } from '../support/anchor-process.ts';
import { eventually } from '../support/eventually.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEMO = readFileSync(path.join(ROOT, 'examples/anchors/demo.yaml'), 'utf8');
const PATIENCE_MS = 20_000;

/** A manifest that names a folder beside it, with these files in it. */
function brand(files: Readonly<Record<string, string>>) {
  const { folder, remove } = newDataFolder();
  const manifest = path.join(folder, 'anchor.yaml');
  writeFileSync(
    manifest,
    DEMO.replace('  host: localhost\n', '  host: localhost\n  branding: { folder: brand }\n'),
  );
  mkdirSync(path.join(folder, 'brand', 'templates'), { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, 'brand', name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { folder, manifest, write, remove };
}

describe('capstan dev with the folder of a branding', () => {
  test('shows it, follows it without a restart, and keeps a page of ours where a template breaks', async () => {
    const place = brand({
      'en.json': '{ "error.link.title": "Harbor knows no such link" }',
      'theme.css': ':root { --accent: #0a5c36 }',
    });
    const anchor = await startAnchor({
      data: place.folder,
      manifest: place.manifest,
      flags: ['--port', '0'],
    });
    const dispatcher = new Agent({ connect: { ca: readFileSync(anchor.ready.ca) } });
    const get = async (where: string): Promise<string> =>
      await (await fetch(`${anchor.ready.url}${where}`, { dispatcher })).text();
    const page = (): Promise<string> => get('/sep24/interactive?transaction_id=none');
    const first = await page();
    expect(first).toContain('Harbor knows no such link');
    const [, sheet] = /href="([^"]*theme[^"]*\.css)"/.exec(first)!;
    expect(await get(sheet!)).toContain('#0a5c36');

    const template = 'templates/message.liquid';
    place.write(
      template,
      `{% layout 'layout' %}\n{% block content %}<h1>{{ title }}, says Harbor</h1>{% endblock %}`,
    );
    await eventually(
      'their template shows',
      async () => (await page()).includes('such link, says Harbor'),
      PATIENCE_MS,
    );

    place.write(template, 'fine\n{% nonsense %}');
    await eventually('it tells where', () => /message\.liquid:2: /.test(anchor.output()), PATIENCE_MS);
    await eventually('ours is back', async () => !(await page()).includes('says Harbor'), PATIENCE_MS);
    expect(await page()).toMatch(/<span class="seal[^]*Harbor knows no such link/);
    expect(anchor.child.exitCode).toBeNull();

    await dispatcher.close();
    await anchor.end('SIGTERM');
    await place.remove();
  }, 120_000);

  test('does not start with one that is broken: each mistake with its file and line', async () => {
    const place = brand({
      'en.json': '{\n  "error.link.title": "{nobody}"\n}',
      'templates/review.liquid': '\n\n{% if %}',
    });
    const { status, stderr } = spawnSync(
      path.join(ROOT, 'bin/capstan'),
      ['dev', '-f', place.manifest, '--data', place.folder, '--port', '0'],
      { cwd: ROOT, encoding: 'utf8', timeout: 60_000 },
    );
    expect(status).not.toBe(0);
    expect(stderr).toContain('error (branding_broken): The branding cannot be used as it is:');
    expect(stderr).toMatch(/brand\/en\.json:2: "error\.link\.title" uses \{nobody\}/);
    expect(stderr).toMatch(/brand\/(?:templates\/)?review\.liquid:3: /);
    expect(stderr).not.toMatch(/\n\s+at /);
    await place.remove();
  }, 90_000);
});
