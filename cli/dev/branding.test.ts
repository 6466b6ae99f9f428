import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readManifest } from '../../core/spec/manifest.ts';
import { testAnchor, yamlOf, type Loose } from '../../core/spec/test-manifest.ts';
import { sampleAnchor } from '../../server/interactive/gallery/sample-anchor.ts';
import { checkBranding, placeBranding } from './branding.ts';

let folder: string;
let notices: string[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dev-brand-'));
  notices = [];
});
afterEach(() => rm(folder, { recursive: true }));
const onNotice = (text: string): void => void notices.push(text);

/** Where the branding of this spec is found, other documents of the file beside it. */
function place(branding: object | undefined, ...others: object[]): Promise<string | undefined> {
  const manifest: Loose = testAnchor();
  if (branding) manifest.spec.branding = branding;
  const file = path.join(folder, 'anchor.yaml');
  return placeBranding({
    file,
    data: folder,
    manifest: readManifest(yamlOf(manifest, ...others), file),
    onNotice,
  });
}

describe('where capstan dev finds a branding', () => {
  test('in the folder that the manifest names, seen from the manifest', async () => {
    expect(await place({ folder: '../brand' })).toBe(path.resolve(folder, '../brand'));
    expect(await place(undefined)).toBeUndefined();
  });

  test('in the ConfigMap of the same file; one that is elsewhere is told', async () => {
    const branding = { configMapRef: { name: 'harbor-brand' } };
    const configMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'harbor-brand', namespace: 'harbor' },
      data: { 'theme.css': ':root { --radius: 0 }' },
      binaryData: { 'logo.png': Buffer.from([0x89, 0x50, 0x4e, 0x47]).toString('base64') },
    };
    const made = (await place(branding, configMap))!;
    expect(await readFile(path.join(made, 'theme.css'), 'utf8')).toBe(':root { --radius: 0 }');
    expect([...(await readFile(path.join(made, 'logo.png')))]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    await expect(checkBranding(made, sampleAnchor(), onNotice)).resolves.toBeUndefined();
    expect(notices).toEqual([]);
    expect(await place(branding)).toBeUndefined();
    expect(notices).toEqual([expect.stringMatching(/^ConfigMap harbor-brand is not in .*anchor\.yaml: /)]);
  });
});

describe('capstan dev does not start', () => {
  test('with a broken branding: every mistake with its file and line', async () => {
    await mkdir(path.join(folder, 'templates'));
    await writeFile(path.join(folder, 'templates', 'message.liquid'), 'one\n{% if %}');
    await writeFile(path.join(folder, 'templates', 'review.liquid'), '\n\n{% render part %}');
    await writeFile(path.join(folder, 'en.json'), '{\n"action.close": "{wallet}"\n}');
    const error = await checkBranding(folder, sampleAnchor(), onNotice).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'branding_broken' });
    const lines = (error as Error).message.split('\n');
    expect(lines[0]).toBe('The branding cannot be used as it is:');
    expect(lines).toHaveLength(4);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringContaining(`${folder}/en.json:2: "action.close" uses {wallet}`),
        expect.stringContaining('review.liquid:3: '),
        expect.stringContaining(`${folder}/templates/message.liquid:2: `),
      ]),
    );
  });

  test('but does with warnings, which are told', async () => {
    await writeFile(path.join(folder, 'theme.css'), ':root { --accent: #fff }');
    await checkBranding(folder, sampleAnchor(), onNotice);
    expect(notices[0]).toMatch(
      /^branding: .*theme\.css: --accent on --paper has a contrast of 1\.00 in the light scheme/,
    );
  });
});
