import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { testAnchor, yamlOf } from '../spec/test-manifest.ts';
import { loadAnchorConfig } from './config.ts';
import type { AnchorConfig } from './config.ts';
import { createLog } from './log.ts';

let folder: string;
let lines: string[];
const ref = { name: 'harbor-keys', key: 'signing' };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-config-'));
  lines = [];
});
afterEach(async () => await rm(folder, { recursive: true }));

async function load(...documents: unknown[]): Promise<AnchorConfig> {
  const file = join(folder, 'anchor.yaml');
  await writeFile(file, yamlOf(...documents));
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  return await loadAnchorConfig({ file, secretsDir: join(folder, 'secrets'), log });
}
async function mount(content: string | Uint8Array, mode = 0o440): Promise<void> {
  await mkdir(join(folder, 'secrets', ref.name), { recursive: true });
  await writeFile(join(folder, 'secrets', ref.name, ref.key), content);
  await chmod(join(folder, 'secrets', ref.name, ref.key), mode);
}
const secret = (value: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: ref.name, namespace: 'harbor' },
  stringData: { signing: value, srt: 'x' },
});

describe('loadAnchorConfig', () => {
  test('reads the anchor and where its secrets are', async () => {
    const { anchor, refs } = await load(testAnchor());
    expect(anchor).toMatchObject({
      name: 'harbor',
      host: 'anchor.harbor.example',
      network: { name: 'testnet' },
    });
    expect(refs).toMatchObject({ signingSeed: ref, databaseUrl: { name: 'harbor-db', key: 'url' } });
  });

  test('reads a mounted secret without the line feed at its end, and no blank less', async () => {
    const config = await load(testAnchor());
    await mount(' value \n');
    expect(await config.readSecret(ref)).toBe(' value ');
    expect(lines).toEqual([]);
  });

  test('prefers a mounted secret to one in the manifest, and takes that where none is mounted', async () => {
    const config = await load(testAnchor(), secret('in the manifest'));
    expect(await config.readSecret(ref)).toBe('in the manifest');
    await mount('mounted');
    expect(await config.readSecret(ref)).toBe('mounted');
  });

  test('warns of a secret that every user may read, without its value', async () => {
    const config = await load(testAnchor());
    await mount('value-of-it', 0o444);
    expect(await config.readSecret(ref)).toBe('value-of-it');
    expect(lines.join('')).toContain('every user of this machine may read this secret');
    expect(lines.join('')).not.toContain('value-of-it');
  });

  test.each<[string, string | Uint8Array | undefined, string]>([
    ['missing', undefined, 'is neither mounted under'],
    ['empty', '\n', 'is empty'],
    ['no text', new Uint8Array([0xff, 0xfe]), 'is no text'],
    ['too large', 'x'.repeat(65_537), 'is larger than 65536 bytes'],
  ])('a secret that is %s is refused with its name', async (_what, content, why) => {
    const config = await load(testAnchor());
    if (content !== undefined) await mount(content);
    await expect(config.readSecret(ref)).rejects.toMatchObject({
      code: 'secret_unusable',
      message: expect.stringMatching(new RegExp(`^Secret harbor-keys, key signing: ${why}`)),
    });
  });

  test.each(['../anchor.yaml', '..', 'a/b', ''])('the key %p leads nowhere', async (key) => {
    const config = await load(testAnchor());
    await expect(config.readSecret({ name: ref.name, key })).rejects.toThrow('no names of a Secret');
  });

  test('a manifest that is missing or wrong is refused with its place', async () => {
    const log = createLog({ name: 'test', level: 'silent' });
    const absent = loadAnchorConfig({ file: join(folder, 'nowhere.yaml'), secretsDir: folder, log });
    await expect(absent).rejects.toMatchObject({ code: 'config_unreadable' });
    const wrong = testAnchor();
    wrong.spec.host = 'https://anchor.example/';
    await expect(load(wrong)).rejects.toThrow(/anchor\.yaml:\d+: spec\.host/);
  });
});
